import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { ask, type Row, readSorted } from './client.ts'

let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 60, failureDelayMs: 0, now: 1_780_358_400, unreadableStores: true })
})
afterAll(() => sim.close())

const row = async (path: string, field: string, value: string): Promise<Row | undefined> =>
  (await readSorted(sim, path, field)).find((candidate) => candidate[field] === value)

describe('stores', () => {
  test('offline and unmounted ones stay listed', async () => {
    expect(await row('/admin/datastore', 'store', 'cold')).toEqual({
      store: 'cold',
      comment: null,
      maintenance: 'offline,message="disk at vault"',
      'mount-status': 'nonremovable',
      'backend-type': 'filesystem',
    })
    expect(await row('/admin/datastore', 'store', 'usb1')).toMatchObject({ 'mount-status': 'notmounted' })
    expect(await row('/admin/datastore', 'store', 'bucket')).toMatchObject({ 'backend-type': 's3' })
  })

  test('usage of an offline store is its error, of an unmounted one nothing', async () => {
    const shared = { 'backend-type': 'filesystem' }
    expect(await row('/status/datastore-usage', 'store', 'cold')).toEqual({
      store: 'cold',
      'mount-status': 'nonremovable',
      error: "datastore 'cold' is unavailable: offline maintenance mode: disk at vault",
      ...shared,
    })
    expect(await row('/status/datastore-usage', 'store', 'usb1')).toEqual({
      store: 'usb1',
      'mount-status': 'notmounted',
      ...shared,
    })
  })

  test('collections: fine, failed after a success, running, never; unreadable stores are left out', async () => {
    const rows = await readSorted(sim, '/admin/gc', 'store')
    expect(rows.map(({ store }) => store)).toEqual(['archive', 'bucket', 'fresh', 'tank', 'vault'])
    const [archive, , fresh, tank, vault] = rows
    expect(tank).toMatchObject({ 'last-run-state': 'OK', duration: 667, schedule: '02:30' })
    expect(vault).toMatchObject({ 'last-run-state': 'missing chunk marker file', duration: 86_400 + 667 })
    expect(archive).not.toHaveProperty('last-run-state')
    expect(archive).toHaveProperty('upid', expect.stringContaining('garbage_collection'))
    expect(fresh).toMatchObject({ upid: null })
    expect(fresh).not.toHaveProperty('next-run')
  })

  test('configuration lists have a digest that follows the configuration', async () => {
    const digest = async () => JSON.parse((await ask(sim, '/config/datastore')).text).digest
    const before = await digest()
    expect(before).toMatch(/^[0-9a-f]{64}$/)
    expect(await digest()).toBe(before)
    sim.setMaintenance('vault', 'read-only')
    expect(await digest()).not.toBe(before)
    sim.setMaintenance('vault', null)
    expect(await digest()).toBe(before)
  })
})

describe('jobs', () => {
  test.each([
    ['/admin/verify', 'v-weekly', { 'last-run-state': 'OK', ns: '', 'ignore-verified': true }],
    ['/admin/verify', 'v-second', { 'last-run-state': 'WARNINGS: 2', 'verify-threads': 4 }],
    ['/admin/prune', 'p-daily', { 'keep-daily': 14, 'max-depth': 7 }],
    ['/admin/prune', 'p-old', { disable: true, schedule: 'weekly' }],
    ['/admin/sync', 's-local', { 'last-run-state': 'unknown', 'group-filter': ['type:vm', 'exclude:group:vm/901'] }],
    ['/admin/sync?sync-direction=push', 's-push', { 'sync-direction': 'push', remote: 'pbs-dr' }],
    ['/tape/backup', 't-weekly', { 'next-media-label': 'PBS012L8', pool: 'offsite8' }],
  ])('%s %s', async (path, id, fields) => {
    expect(await row(path, 'id', id)).toMatchObject(fields)
  })

  test.each([
    ['never run', '/admin/verify', 'v-new', ['last-run-upid', 'last-run-state', 'last-run-endtime']],
    ['running', '/admin/prune', 'p-running', ['last-run-state', 'last-run-endtime']],
    ['without schedule', '/admin/verify', 'v-manual', ['schedule', 'next-run']],
    ['disabled', '/admin/prune', 'p-old', ['next-run']],
    ['local', '/admin/sync', 's-local', ['remote', 'sync-direction']],
    ['as configured', '/config/sync', 's-offsite', ['next-run', 'last-run-state']],
  ])('%s: keys that are absent', async (_title, path, id, absent) => {
    const found = await row(path, 'id', id)
    expect({ id: found?.['id'], present: absent.filter((name) => Object.hasOwn(found ?? {}, name)) }).toEqual({
      id,
      present: [],
    })
  })

  test('a dead worker ended when it started', async () => {
    const found = await row('/admin/sync', 'id', 's-local')
    expect(found?.['last-run-endtime']).toBe(1_780_358_400 - 9 * 3600)
  })

  test('errors may be long', async () => {
    const found = await row('/admin/sync', 'id', 's-offsite')
    expect(String(found?.['last-run-state']).length).toBeGreaterThan(1000)
  })

  test('lists may be asked for one store', async () => {
    expect((await readSorted(sim, '/admin/prune?store=vault', 'id')).map(({ id }) => id)).toEqual(['p-running'])
  })
})
