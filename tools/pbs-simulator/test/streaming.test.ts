import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bulkGroup } from '../src/fleet/bulk-groups.ts'
import { emptyStore } from '../src/fleet/empty-state.ts'
import { emptyState, generateState, type Simulator, startSimulator } from '../src/index.ts'
import { createRandom } from '../src/state/random.ts'

const now = 1_780_358_400
const rows = 50_000
let sim: Simulator

beforeAll(async () => {
  const random = createRandom(3)
  const fleet = emptyState({ name: 'pbs-big', seed: 3, now })
  const groups = Array.from({ length: rows / 50 }, (_, number) =>
    bulkGroup(random, { number, count: 50, now, verifyRuns: [] }),
  )
  fleet.datastores = [emptyStore('tank', { namespaces: [{ path: '', groups }] })]
  sim = await startSimulator({ fleet })
})
afterAll(() => sim.close())

const open = (): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { tokenId, secret } = sim.tokens.audit
    const headers = { authorization: `PBSAPIToken=${tokenId}:${secret}` }
    const path = `${sim.url}/api2/json/admin/datastore/tank/snapshots`
    request(path, { agent: false, rejectUnauthorized: false, headers }, resolve).on('error', reject).end()
  })

test('a namespace of 50 000 snapshots is chunked and complete', async () => {
  const response = await open()
  expect(response.headers['transfer-encoding']).toBe('chunked')
  expect(response.headers['content-length']).toBeUndefined()
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const { data } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  expect(data).toHaveLength(rows)
  const keys = new Set(
    data.map((row: Record<string, unknown>) => `${row['backup-type']}/${row['backup-id']}/${row['backup-time']}`),
  )
  expect(keys.size).toBe(rows)
})

test('rows are made no faster than they are read', async () => {
  let looks = 0
  const root = sim.state.datastores[0]?.namespaces[0]
  if (root === undefined) throw new Error('no store')
  const { groups } = root
  // Each look at the disks of a group is for a row that is made.
  const watched = (disks: readonly number[]) =>
    new Proxy(disks, {
      get: (target, name, receiver) => {
        looks += 1
        return Reflect.get(target, name, receiver)
      },
    })
  root.groups = groups.map((group) => ({
    ...group,
    series: group.series === null ? null : { ...group.series, disks: watched(group.series.disks) },
  }))
  for await (const _ of await open());
  const all = looks
  looks = 0
  const response = await open()
  response.once('readable', () => undefined)
  // The client does not read on. In so many turns of their event loop the server could send all of it.
  for (let turn = 0; turn < 10_000; turn++) await setImmediate()
  expect(all).toBeGreaterThan(rows)
  expect(looks).toBeGreaterThan(0)
  expect(looks).toBeLessThan(all / 2)
  response.destroy()
  root.groups = groups
})

test('a deflated list can be left in the middle', async () => {
  const { tokenId, secret } = sim.tokens.audit
  const headers = { authorization: `PBSAPIToken=${tokenId}:${secret}`, 'accept-encoding': 'deflate' }
  const path = `${sim.url}/api2/json/admin/datastore/tank/snapshots`
  await new Promise<void>((resolve, reject) => {
    const requested = request(path, { agent: false, rejectUnauthorized: false, headers }, (response) => {
      expect(response.headers['content-encoding']).toBe('deflate')
      response.once('data', () => requested.destroy())
      response.once('close', () => resolve())
      response.on('error', () => undefined)
    })
    requested.on('error', reject)
    requested.end()
  })
  expect((await open()).statusCode).toBe(200)
})

test('a generated million takes little memory', () => {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const state = generateState({ name: 'pbs-a', seed: 1, profile: '4.2', snapshots: 1_000_000, now })
  const used = process.memoryUsage().heapUsed - before
  expect(state.datastores.length).toBeGreaterThan(2)
  expect(used / 1024 ** 2).toBeLessThan(100)
})
