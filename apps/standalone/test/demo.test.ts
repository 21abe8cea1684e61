import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { prepareFolder } from './support/homes.ts'
import { netboxPbs, onlyLog, SystemProcess } from './support/process.ts'
import { allRows, request } from './support/rest.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

const token = 'nbt_demonstrator.0123456789012345678901234567890123456789'
const free = ['--port', '0', '--gateway-port', '0']
const fleet = ['--demo', '--demo-servers', '2', '--demo-snapshots', '200', '--seed', '7']

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  await prepareFolder(join(folder, 'kept'))
})
const running: Array<SystemProcess> = []
afterAll(() => {
  for (const process of running) process.kill()
  rmSync(folder, { recursive: true, force: true })
})

const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const started = SystemProcess.start('netbox-pbs', ['start', ...free, ...args], { env })
  running.push(started)
  return started
}
const ready = async (process: SystemProcess) => {
  const [, url = '', reported = ''] = await process.line(/^netbox-pbs ready: (\S+)\/plugins\/pbs\/ token (.*)$/)
  return { url, token, reported }
}
/** Seconds by which the clock of each server is off, where it is known. */
const offsets = async (at: { url: string; token: string }) =>
  (await allRows(at, 'servers')).map((server) => Math.abs(Number(server['clock_offset_seconds'] ?? Number.NaN)))
const ids = async (at: { url: string; token: string }, model: string) =>
  (await allRows(at, model)).map(({ id, display }) => ({ id, display }))

test('a demo is read before it is ready, is set to be read every minute, and goes on with its fleet in a kept folder', async () => {
  const args = [...fleet, '--data-dir', join(folder, 'kept')]
  const env = { NETBOX_PBS_BOOTSTRAP_TOKEN: token }
  const first = start(args, env)
  const before = await ready(first)
  expect(before.reported).toBe('as given by NETBOX_PBS_BOOTSTRAP_TOKEN')
  const snapshots = await ids(before, 'snapshots')
  expect(snapshots.length).toBeGreaterThanOrEqual(200)
  expect(await request(before, 'GET', '/api/plugins/pbs/settings/')).toMatchObject({
    json: { sync_interval_minutes: 1 },
  })
  for (const offset of await offsets(before)) expect(offset).toBeLessThan(60)
  expect(await first.stop()).toMatchObject({ code: 0, stderr: onlyLog })

  const second = start(args, env)
  const after = await ready(second)
  expect(await ids(after, 'servers')).toEqual([
    { id: 1, display: 'pbs-a' },
    { id: 2, display: 'pbs-b' },
  ])
  expect(await ids(after, 'snapshots')).toEqual(snapshots)
  for (const offset of await offsets(after)) expect(offset).toBeLessThan(60)
  const { json } = await request(after, 'GET', '/api/plugins/pbs/sync-runs/2/')
  expect(json).toMatchObject({ status: { value: 'completed' }, counts: { created: 0, deleted: 0 } })
  expect(await second.stop()).toMatchObject({ code: 0, stderr: onlyLog })
})

test('a demo keeps nothing unless it is asked; beyond loopback it answers to known names and says that it has no TLS', async () => {
  const demo = start([...fleet, '--host', '0.0.0.0', '--allowed-host', 'inventory.example.com'])
  const { url, reported } = await ready(demo)
  const [, kept = ''] = /^in (.*)\/token$/.exec(reported) ?? []
  expect(readdirSync(kept).sort()).toEqual(['run.json', 'token'])
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const statusFor = (host: string) =>
    new Promise((resolve, reject) => {
      get(`${url}/healthz`, { headers: { host } }, (answer) => resolve(answer.resume().statusCode)).on('error', reject)
    })
  expect(await Promise.all([hostname(), 'inventory.example.com', 'rebound.example.org'].map(statusFor))).toEqual([
    200, 200, 400,
  ])
  expect(await netboxPbs(['server', 'list', '--data-dir', kept])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^pbs-b .*Reachable/m),
  })
  const { code, stderr } = await demo.stop('SIGINT')
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('time='))
  expect([code, lines]).toEqual([
    0,
    [
      `other machines reach it as ${hostname()} and without TLS: put a TLS proxy in front of it, because tokens are sent in clear text`,
    ],
  ])
  expect(existsSync(kept)).toBe(false)
})
