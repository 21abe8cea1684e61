import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SyncRunDetail } from '@netbox-pbs/api/records'
import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { prepareFolder } from './support/homes.ts'
import { netboxPbs, SystemProcess } from './support/process.ts'
import { connect, request } from './support/rest.ts'
import { newHome, startSystem } from './support/running-system.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 })

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-signals-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = (data: string, ...more: ReadonlyArray<string>) => [
  'start',
  '--data-dir',
  data,
  '--port',
  '0',
  '--gateway-port',
  '0',
  ...more,
]

const linesOf = (stderr: string) => stderr.split('\n').filter((line) => line !== '')

/** One folder for all signals. */
let kept: string
beforeAll(async () => {
  kept = mkdtempSync(join(tmpdir(), 'netbox-pbs-signals-'))
  await prepareFolder(kept)
})
afterAll(() => rmSync(kept, { recursive: true, force: true }))

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s stops the system, and the log says how it began and ended',
  async (signal) => {
    const system = SystemProcess.start('netbox-pbs', start(kept, '--log-format', 'json'))
    await system.line(/^netbox-pbs ready: /)
    const { code, stderr } = await system.stop(signal)
    const events: ReadonlyArray<unknown> = linesOf(stderr).map((line) => JSON.parse(line))
    expect([code, events]).toEqual([
      0,
      [
        expect.objectContaining({
          level: 'info',
          msg: 'started',
          app: 'netbox-pbs',
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          url: expect.stringMatching(/^http:/),
          database: 'embedded',
          folder: kept,
          schedule: 'every 60 min',
        }),
        expect.objectContaining({ msg: 'stopping' }),
        expect.objectContaining({ msg: 'stopped' }),
      ],
    ])
  },
)

test('a format that is none is refused', async () => {
  expect(await netboxPbs(start(folder, '--log-format', 'xml'))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^option '--log-format <format>' argument 'xml' is invalid. Allowed choices are text, json/,
    ),
  })
})

test('the system ends with the package manager that started it, and its data folder is free again', async () => {
  await prepareFolder(folder)
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  // A process that names itself as npx does, whose child names itself as pnpm does, with a shell
  // below it: a signal to the first reaches none of the others.
  const script = `
    const { spawn } = require('node:child_process')
    const [name, ...rest] = JSON.parse(process.argv[1])
    process.title = name
    const next = rest.length > 0
      ? spawn(process.execPath, ['-e', process.env.SCRIPT, JSON.stringify(rest)], { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
      : spawn('sh', ['-c', process.env.COMMAND + '; exit $?'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
    next.on('exit', (code) => process.exit(code ?? 1))`
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
  const command = [process.execPath, 'bin/run.mjs', 'netbox-pbs', ...start(folder)]
  const npx = spawn(process.execPath, ['-e', script, JSON.stringify(['npm exec pnpm', 'pnpm start'])], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', SCRIPT: script, COMMAND: command.map(quoted).join(' ') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  npx.stderr.on('data', (piece) => {
    stderr += String(piece)
  })
  const ready = new Promise<void>((resolve, reject) => {
    npx.stdout.on('data', (piece) => {
      stdout += String(piece)
      if (stdout.includes('netbox-pbs ready')) resolve()
    })
    npx.stdout.on('close', () => reject(new Error(stdout + stderr)))
  })
  await ready
  npx.kill('SIGTERM')
  // The pipe closes when the last process that holds it has ended.
  await once(npx, 'close')
  expect(linesOf(stderr).map((line) => /msg=("[^"]*"|\S+)/.exec(line)?.[1])).toEqual([
    'started',
    '"the package manager that started this process has ended"',
    'stopping',
    'stopped',
  ])
  const again = SystemProcess.start('netbox-pbs', start(folder))
  await again.line(/^netbox-pbs ready: /)
  expect((await again.stop()).code).toBe(0)
})

test('a data folder that others could enter is closed to them, and what the database writes is private', async () => {
  const data = join(folder, 'data')
  mkdirSync(data)
  chmodSync(data, 0o755)
  const system = SystemProcess.start('netbox-pbs', start(data))
  await system.line(/^netbox-pbs ready: /)
  const open = readdirSync(data, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .concat(data)
    .filter((path) => (statSync(path).mode & 0o077) !== 0)
  await system.stop()
  expect(open).toEqual([])
})

test('a sync that is interrupted says that its run goes on and where, and does not end as if it had completed', async () => {
  const pbs = await startSimulator({ name: 'pbs-a', seed: 5, snapshots: 20, failureDelayMs: 0 })
  const system = await startSystem(newHome({}))
  pbs.faults.add({ kind: 'hang', match: { path: '/admin/datastore' } })
  try {
    await connect(system, pbs)
    const sync = SystemProcess.start('netbox-pbs', ['sync', '--url', system.url, '--token-file', '-'], {
      input: system.token,
    })
    const running = async () => {
      const { json } = await request(system, 'GET', '/api/plugins/pbs/sync-runs/?status=running')
      return z.object({ results: z.array(SyncRunDetail.pick({ id: true, display_url: true })) }).parse(json).results
    }
    const [run] = await vi.waitUntil(async () => ((await running()).length === 1 ? running() : null), {
      timeout: 60_000,
    })
    const { code, stderr } = await sync.stop('SIGINT')
    expect([code, stderr]).toEqual([130, `run ${run?.id} goes on; watch or cancel it at ${run?.display_url}\n`])
    expect(await running()).toEqual([run])
  } finally {
    await system.stop()
    await pbs.close()
  }
})
