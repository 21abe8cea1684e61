import { describe, expect, test } from 'vitest'
import { emptyState, emptyStore } from '../src/fleet/empty-state.ts'
import { finishedSnapshot, unfinishedSnapshot } from '../src/fleet/special-groups.ts'
import { addNamespace, addSnapshot, findGroup, findNamespace } from '../src/state/operations.ts'
import type { PbsState, SyncJobState } from '../src/state/pbs-state.ts'
import { runSyncJob } from '../src/state/run-sync-job.ts'

const server = (name: string, store: string): PbsState => ({ ...emptyState({ name }), datastores: [emptyStore(store)] })

const job = (more: Partial<SyncJobState>): SyncJobState => ({
  ...{ id: 's-1', store: 'vault', ns: null, schedule: null, comment: null, options: {}, lastRun: null, nextRun: null },
  ...{ direction: 'pull', remote: 'near', remoteStore: 'tank', remoteNs: null, ...more },
})

const at = { store: 'tank', ns: 'site', backupType: 'vm', backupId: '100' }

const times = (state: PbsState, store: string, ns: string) =>
  findGroup(state, { ...at, store, ns }).snapshots.map(({ backupTime }) => backupTime)

const filled = () => {
  const near = server('near', 'tank')
  addNamespace(near, 'tank', 'site')
  for (const time of [100, 200]) addSnapshot(near, at, finishedSnapshot(time))
  addSnapshot(near, at, unfinishedSnapshot(300))
  return near
}

describe('a sync job', () => {
  test('pulls the finished snapshots that are newer than its own, and records its task', () => {
    const [near, far] = [filled(), server('far', 'vault')]
    far.jobs.sync.push(job({ ns: 'copy' }))
    expect(runSyncJob(far, near, 's-1', { at: 1000 })).toBe(2)
    expect(times(far, 'vault', 'copy/site')).toEqual([100, 200])
    expect(far.jobs.sync[0]?.lastRun).toMatchObject({ state: 'OK', endtime: 1000 })
    expect(far.tasks).toHaveLength(1)
    addSnapshot(near, at, finishedSnapshot(150))
    addSnapshot(near, at, finishedSnapshot(400))
    expect(runSyncJob(far, near, 's-1', { at: 2000 })).toBe(1)
    expect(times(far, 'vault', 'copy/site')).toEqual([100, 200, 400])
  })

  test('pushes to the other server', () => {
    const [near, far] = [filled(), server('far', 'vault')]
    near.jobs.sync.push(job({ store: 'tank', ns: 'site', direction: 'push', remoteStore: 'vault' }))
    expect(runSyncJob(near, far, 's-1', { at: 1000 })).toBe(2)
    expect(times(far, 'vault', '')).toEqual([100, 200])
  })

  test('that has stopped copying ends OK as well', () => {
    const [near, far] = [filled(), server('far', 'vault')]
    far.jobs.sync.push(job({}))
    expect(runSyncJob(far, near, 's-1', { at: 1000, copying: false })).toBe(0)
    expect(findNamespace(far, 'vault', '').groups).toEqual([])
    expect(far.tasks).toMatchObject([{ status: 'OK', endtime: 1000 }])
    expect(() => runSyncJob(far, near, 's-2', { at: 1000 })).toThrow('s-2')
  })
})
