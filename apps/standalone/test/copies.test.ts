import {
  emptyState,
  emptyStore,
  finishedSnapshot,
  runSyncJob,
  type Simulator,
  startSimulator,
} from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemEngines } from './support/homes.ts'
import { connect, request, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

const day = 86_400
/** Points are compared with the time at which they are seen, so the fleet lives in the present. */
const now = Math.floor(Date.now() / 1000)
const timeOf = (days: number) => now - days * day
const text = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

const root = '/api/plugins/pbs'
const guest = { store: 'tank', ns: '', backupType: 'vm', backupId: '100' }

describe.each(systemEngines)('copies from PBS to REST on $engine', ({ home }) => {
  let near: Simulator
  let far: Simulator
  let running: RunningSystem

  const fleet = (name: string, store: string) => ({ ...emptyState({ name, now }), datastores: [emptyStore(store)] })
  beforeAll(async () => {
    near = await startSimulator({ fleet: fleet('near', 'tank'), failureDelayMs: 0 })
    far = await startSimulator({ fleet: fleet('far', 'vault'), failureDelayMs: 0 })
    far.state.jobs.sync.push({
      ...{
        id: 's-offsite',
        store: 'vault',
        ns: null,
        schedule: 'daily',
        comment: null,
        options: {},
        lastRun: null,
        nextRun: null,
      },
      ...{ direction: 'pull', remote: 'main-site', remoteStore: 'tank', remoteNs: null },
    })
    for (const days of [4, 3]) near.addSnapshot(guest, finishedSnapshot(timeOf(days)))
    running = await startSystem(await home())
    await connect(running, near)
    await connect(running, far)
  })
  afterAll(async () => {
    await running.stop()
    await near.close()
    await far.close()
  })

  /** Runs the job in a second that has passed when it is listed, and after what was read before. */
  const copy = async (copying: boolean) => {
    const at = Math.ceil(Date.now() / 1000)
    await vi.waitFor(() => expect(Date.now() / 1000).toBeGreaterThan(at + 1), { timeout: 10_000, interval: 20 })
    return runSyncJob(far.state, near.state, 's-offsite', { at, copying })
  }
  const sync = async () => expect((await syncAndWait(running)).status.value).not.toBe('failed')
  const read = async (path: string) => {
    const { status, json } = await request(running, 'GET', `${root}/${path}`)
    expect([path, status]).toEqual([path, 200])
    return (json as { results: ReadonlyArray<unknown> }).results // border: a test reads what it asserts
  }
  const lag = async () => [await read('guests/'), await read('copy-ledger/')]

  test('a sync job that copies has no lag', async () => {
    await sync()
    expect(await lag()).toMatchObject([[{ backup_id: '100', copies: 0 }], []])
    expect(await copy(true)).toBe(2)
    await sync()
    expect(await lag()).toMatchObject([
      [{ backup_id: '100', server: { display: 'near' }, copies: 1, servers: 2, lagging_copies: 0, lag_since: null }],
      [{ job: { display: 's-offsite' }, server: { display: 'far' }, copies: 1, lagging_copies: 0, silent_copies: 0 }],
    ])
  })

  test('a backup that it has not copied yet is a lag, and no fault of the job', async () => {
    near.addSnapshot(guest, finishedSnapshot(timeOf(2)))
    await sync()
    expect(await lag()).toMatchObject([
      [{ lagging_copies: 1, points_behind: 1, lag_since: text(timeOf(2)) }],
      [{ lagging_copies: 1, points_behind: 1, lag_since: text(timeOf(2)), silent_copies: 0, silent_since: null }],
    ])
  })

  test('a job that ends OK and copies nothing is told, with the first backup that it left', async () => {
    await copy(false)
    near.addSnapshot(guest, finishedSnapshot(timeOf(1)))
    await sync()
    expect(await lag()).toMatchObject([
      [{ lagging_copies: 1, points_behind: 2, lag_since: text(timeOf(2)) }],
      [{ lagging_copies: 1, points_behind: 2, silent_copies: 1, silent_since: text(timeOf(2)) }],
    ])
    expect(await read('groups/?lag_since__empty=false')).toMatchObject([{ datastore_name: 'vault', points_behind: 2 }])
  })

  test('it ends when the job copies again', async () => {
    expect(await copy(true)).toBe(2)
    await sync()
    expect(await lag()).toMatchObject([
      [{ copies: 1, lagging_copies: 0, points_behind: 0, lag_since: null }],
      [{ lagging_copies: 0, silent_copies: 0, silent_since: null }],
    ])
  })
})
