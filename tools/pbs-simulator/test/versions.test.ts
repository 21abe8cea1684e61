import { inflateRawSync, inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Profile, type Simulator, startSimulator } from '../src/index.ts'
import { ask, read, readSorted } from './client.ts'

const profiles = ['2.4', '3.1', '3.2', '3.3', '4.2'] as const satisfies readonly Profile[]
const sims = new Map<string, Simulator>()

beforeAll(async () => {
  for (const profile of profiles)
    sims.set(
      profile,
      await startSimulator({ profile, snapshots: 60, failureDelayMs: 0, now: 1_780_358_400, unreadableStores: true }),
    )
})
afterAll(async () => {
  for (const sim of sims.values()) await sim.close()
})

const at = (profile: (typeof profiles)[number]): Simulator => {
  const sim = sims.get(profile)
  if (sim === undefined) throw new Error(profile)
  return sim
}

test('version and release are strings', async () => {
  expect(await read(at('3.2'), '/version')).toMatchObject({ version: '3.2', release: '4' })
  expect(await read(at('4.2'), '/version')).toMatchObject({ version: '4.2', release: '3' })
})

test.each([
  ['/admin/gc', '3.1', 404],
  ['/admin/gc', '3.2', 200],
  ['/nodes/localhost/identity', '3.2', 404],
  ['/nodes/localhost/identity', '4.2', 200],
  ['/admin/sync?sync-direction=all', '3.2', 400],
  ['/admin/sync?sync-direction=all', '3.3', 200],
  ['/config/sync?sync-direction=push', '3.2', 400],
  ['/config/sync?sync-direction=push', '4.2', 200],
] as const)('GET %s on %s is %i', async (path, profile, status) => {
  expect((await ask(at(profile), path)).status).toBe(status)
})

test('push jobs are listed only when asked for', async () => {
  const ids = async (path: string) => (await readSorted(at('4.2'), path, 'id')).map(({ id }) => id)
  expect(await ids('/admin/sync')).toEqual(['s-local', 's-offsite'])
  expect(await ids('/admin/sync?sync-direction=pull')).toEqual(['s-local', 's-offsite'])
  expect(await ids('/admin/sync?sync-direction=push')).toEqual(['s-push'])
  expect(await ids('/admin/sync?sync-direction=all')).toEqual(['s-local', 's-offsite', 's-push'])
})

test('stores tell their mount status from 3.3 and their backend from 4.2 on', async () => {
  const tank = async (profile: (typeof profiles)[number]) =>
    (await readSorted(at(profile), '/admin/datastore', 'store')).find(({ store }) => store === 'tank')
  const old = { store: 'tank', comment: 'main pool' }
  expect(await tank('3.2')).toEqual(old)
  expect(await tank('3.3')).toEqual({ ...old, 'mount-status': 'nonremovable' })
  expect(await tank('4.2')).toEqual({ ...old, 'mount-status': 'nonremovable', 'backend-type': 'filesystem' })
})

test('maintenance is worded by release', async () => {
  const text = async (profile: (typeof profiles)[number]) =>
    (await ask(at(profile), '/admin/datastore/cold/snapshots')).text
  expect(await text('3.2')).toBe("datastore 'cold' is in offline maintenance mode: disk at vault")
  expect(await text('3.3')).toBe("datastore 'cold' is unavailable: offline maintenance mode: disk at vault")
})

test('a collection tells its last run from 3.2 on', async () => {
  expect(await read(at('3.1'), '/admin/datastore/tank/gc')).not.toHaveProperty('last-run-state')
  expect(await read(at('3.2'), '/admin/datastore/tank/gc')).toMatchObject({ store: 'tank', 'last-run-state': 'OK' })
})

test('numbers that cannot be read are -1 before 3.1.3', async () => {
  const cold = async (profile: (typeof profiles)[number]) =>
    (await readSorted(at(profile), '/status/datastore-usage', 'store')).find(({ store }) => store === 'cold')
  expect(await cold('2.4')).toMatchObject({ total: -1, used: -1, avail: -1 })
  expect(await cold('4.2')).not.toHaveProperty('total')
})

describe('groups', () => {
  const group = async (profile: (typeof profiles)[number], id: string) =>
    (await readSorted(at(profile), '/admin/datastore/tank/groups?ns=', 'backup-id')).find(
      (row) => row['backup-id'] === id,
    )

  test('empty ones are listed from 4.0.17 on', async () => {
    expect(await group('3.3', 'never-backed-up')).toBeUndefined()
    expect(await group('4.2', 'never-backed-up')).toEqual({
      'backup-type': 'host',
      'backup-id': 'never-backed-up',
      'last-backup': 0,
      'backup-count': 0,
      files: [],
      owner: 'backup@pbs!pve',
      comment: '',
    })
  })

  test('the last backup is the newest finished one from 4.0.17 on', async () => {
    const running = 1_780_358_400 - 300
    expect(await group('3.3', '901')).toMatchObject({ 'last-backup': running, 'backup-count': 3 })
    expect(await group('4.2', '901')).toMatchObject({ 'last-backup': running - 86_400 - 934, 'backup-count': 3 })
  })

  test('an unfinished backup counts as last when there is no other', async () => {
    expect(await group('4.2', '900')).toMatchObject({ 'last-backup': 1_780_358_400 - 900, 'backup-count': 1 })
  })
})

describe('compression', () => {
  test('is raw DEFLATE on 3.2.4 and zlib on 4.2, only when offered, for errors too', async () => {
    const headers = { 'accept-encoding': 'gzip, deflate' }
    const old = await ask(at('3.2'), '/version', { headers })
    const now = await ask(at('4.2'), '/version', { headers })
    const error = await ask(at('4.2'), '/version?x=1', { headers })
    expect(old.headers['content-encoding']).toBe('deflate')
    expect(JSON.parse(inflateRawSync(old.bytes).toString())).toHaveProperty('data.version', '3.2')
    expect(JSON.parse(inflateSync(now.bytes).toString())).toHaveProperty('data.version', '4.2')
    expect(inflateSync(error.bytes).toString()).toMatch(/^parameter verification failed/)
    const plain = await ask(at('4.2'), '/version', { headers: { 'accept-encoding': 'gzip, br' } })
    expect(plain.headers['content-encoding']).toBeUndefined()
  })
})
