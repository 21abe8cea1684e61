import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { finishedSnapshot, type Simulator, startSimulator } from '../src/index.ts'
import { ask, read, readSorted } from './client.ts'

const now = 1_780_358_400
let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 200, failureDelayMs: 0, now })
})
afterEach(() => {
  sim.faults.clear()
  sim.changes.clear()
})
afterAll(() => sim.close())

const namespaces = async (store: string) => (await readSorted(sim, `/admin/datastore/${store}/namespace`, 'ns')).length

describe('a change that waits for a request', () => {
  test('is made as the request arrives, once, before it is answered', async () => {
    sim.addNamespace('vault', 'passing')
    const before = await namespaces('vault')
    sim.changes.add({
      match: { path: '/admin/datastore/vault/groups', query: { ns: 'passing' } },
      change: () => sim.removeNamespace('vault', 'passing'),
    })
    expect(await namespaces('vault')).toBe(before)
    expect(sim.changes.waiting()).toBe(1)
    const answer = await ask(sim, '/admin/datastore/vault/groups?ns=passing')
    expect([answer.status, answer.text]).toEqual([400, 'ENOENT: No such file or directory'])
    expect(await namespaces('vault')).toBe(before - 1)
    expect(sim.changes.waiting()).toBe(0)
  })

  test('may pass some over, and be made several times', async () => {
    let made = 0
    sim.changes.add({ match: { path: '/version' }, after: 1, times: 2, change: () => (made += 1) })
    const counts: number[] = []
    for (let requested = 0; requested < 4; requested += 1) {
      await read(sim, '/version')
      counts.push(made)
    }
    expect(counts).toEqual([0, 1, 2, 2])
  })

  test('matches the root namespace by the empty text, sent or left out', async () => {
    let made = 0
    const match = { path: '/admin/datastore/tank/groups', query: { ns: '' } }
    sim.changes.add({ match, times: 9, change: () => (made += 1) })
    await read(sim, '/admin/datastore/tank/groups')
    await read(sim, '/admin/datastore/tank/groups?ns=')
    await read(sim, '/admin/datastore/tank/groups?ns=site-a')
    expect(made).toBe(2)
  })

  test('is forgotten when cleared', async () => {
    sim.changes.add({ change: () => sim.removeStore('vault') })
    sim.changes.clear()
    expect((await ask(sim, '/admin/datastore/vault/groups')).status).toBe(200)
  })
})

test('a list on its way is what was there when it was asked for', async () => {
  const at = { store: 'fresh', ns: '', backupType: 'vm', backupId: '1' }
  for (let day = 1; day <= 500; day += 1) sim.addSnapshot(at, finishedSnapshot(now - day * 86_400))
  const listed = async () => readSorted(sim, '/admin/datastore/fresh/snapshots', 'backup-time')
  const whole = await listed()
  sim.faults.add({ kind: 'slow', chunkBytes: 8192, intervalMs: 10, match: { path: /fresh.snapshots$/ }, times: 1 })
  // The list is under way when the other request arrives.
  sim.changes.add({ match: { path: '/ping' }, change: () => sim.pruneGroup(at, 3) })
  sim.discardRequests()
  const slow = listed()
  await vi.waitFor(() => expect(sim.counts.requests).toBe(1))
  await read(sim, '/ping')
  expect(await slow).toEqual(whole)
  expect((await listed()).length).toBe(3)
  sim.removeGroup(at)
})

test('a group moves, first in part', async () => {
  const at = { store: 'fresh', ns: '', backupType: 'vm', backupId: '2' }
  const to = { ...at, ns: 'moved' }
  const times = [1, 2, 3].map((day) => now - day * 86_400)
  for (const time of times) sim.addSnapshot(at, finishedSnapshot(time))
  sim.addNamespace('fresh', 'moved')
  const listed = async (ns: string) => {
    const rows = await readSorted(sim, `/admin/datastore/fresh/snapshots?ns=${ns}`, 'backup-time')
    return rows.filter((row) => row['backup-id'] === '2').map((row) => row['backup-time'])
  }
  sim.moveGroup(at, to, times.slice(1))
  expect([await listed(''), await listed('moved')]).toEqual([[times[0]], [times[2], times[1]]])
  sim.moveGroup(at, to)
  expect([await listed(''), await listed('moved')]).toEqual([[], times.toReversed()])
  expect(() => sim.moveGroup(at, to)).toThrow(RangeError)
  expect(() => sim.moveGroup(to, { store: 'fresh', ns: 'none' })).toThrow(RangeError)
  sim.removeNamespace('fresh', 'moved')
})

describe('privileges and disks that come and go', () => {
  test('an entry hides a store until it is revoked', async () => {
    const stores = async () => (await readSorted(sim, '/admin/datastore', 'store')).map(({ store }) => store)
    const { tokenId } = sim.tokens.audit
    const before = await stores()
    sim.grant({ path: '/datastore/vault', authId: tokenId, role: 'NoAccess', propagate: true })
    expect(await stores()).toEqual(before.filter((store) => store !== 'vault'))
    sim.revoke('/datastore/vault', tokenId)
    expect(await stores()).toEqual(before)
    expect(() => sim.revoke('/datastore/vault', tokenId)).toThrow(RangeError)
  })

  test('a disk is pulled and plugged in', async () => {
    sim.setMounted('vault', false)
    const answer = await ask(sim, '/admin/datastore/vault/groups')
    expect([answer.status, answer.text]).toEqual([400, "datastore 'vault' is not mounted"])
    sim.setMounted('vault', true)
    expect((await ask(sim, '/admin/datastore/vault/groups')).status).toBe(200)
  })
})

test.each([
  ['delete', "datastore 'vault' is unavailable: datastore is being deleted"],
  ['unmount', "datastore 'vault' is unavailable: datastore is being unmounted"],
  ['s3-refresh', "datastore 'vault' is unavailable: S3 refresh maintenance mode: "],
  ['hibernate', "datastore 'vault' is unavailable: hibernate maintenance mode: "],
])('the maintenance mode %s closes a store', async (mode, text) => {
  sim.setMaintenance('vault', mode)
  const answer = await ask(sim, '/admin/datastore/vault/groups')
  expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([
    400,
    text,
    'application/json;charset=UTF-8',
  ])
  sim.setMaintenance('vault', null)
})

test('a failed authentication is a 400 on 4.1.2 and 4.1.3', async () => {
  const { version, release } = sim.state
  const seen: unknown[] = []
  for (const patch of ['1', '2', '3', '4']) {
    Object.assign(sim.state, { version: '4.1', release: patch })
    const { status, text } = await ask(sim, '/version', { token: null })
    seen.push([status, text.split(' - ')[0]])
  }
  Object.assign(sim.state, { version, release })
  const text = 'authentication failed'
  expect(seen).toEqual([
    [401, text],
    [400, text],
    [400, text],
    [401, text],
  ])
})

test('values that no release has yet are passed on, and what is odd in a fleet is there', async () => {
  const [tank] = sim.state.datastores
  if (tank === undefined) throw new Error('no store')
  const { backendType } = tank
  tank.backendType = 'tape-robot'
  const rows = await readSorted(sim, '/admin/datastore', 'store')
  expect(rows.find(({ store }) => store === 'tank')).toMatchObject({ 'backend-type': 'tape-robot' })
  tank.backendType = backendType

  const usage = await readSorted(sim, '/status/datastore-usage', 'store')
  expect(usage.find(({ store }) => store === 'fresh')).not.toHaveProperty('history')
  expect(usage.find(({ store }) => store === 'tank')).toHaveProperty('history')
  const overdue = await readSorted(sim, '/admin/sync', 'id')
  expect(overdue.some((row) => Number(row['next-run']) < now)).toBe(true)
})
