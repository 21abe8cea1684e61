import { recordTask } from './evolve-jobs.ts'
import { addNamespace, addSnapshot, findStore } from './operations.ts'
import type { PbsState, SnapshotState, SyncJobState } from './pbs-state.ts'
import { isFinished, snapshotsOf } from './series.ts'
import { formatUpid } from './upid.ts'

/** When and how a sync job runs. */
export interface SyncRun {
  /** Epoch seconds; it ends in the second in which it starts. */
  readonly at: number
  /** False: it ends OK as well, and copies nothing. */
  readonly copying?: boolean
}

/**
 * Runs a sync job of `holder`, whose other end is on `other` (the same server for a local job), and says how many
 * snapshots it copied. As PBS does, it copies those that are finished and newer than the newest of their group in the
 * target, and leaves older ones. The task ends OK.
 */
export const runSyncJob = (holder: PbsState, other: PbsState, id: string, { at, copying = true }: SyncRun): number => {
  const job = holder.jobs.sync.find((candidate) => candidate.id === id)
  if (job === undefined) throw new RangeError(`the simulated server has no sync job '${id}'`)
  const copied = copying ? copyAll(holder, other, job) : 0
  const upid = formatUpid({
    node: holder.name,
    taskId: 0x4000 + holder.tasks.length,
    startTime: at,
    workerType: 'syncjob',
    workerId: `${job.remote ?? '-'}:${job.remoteStore}:${job.store}:${job.ns ?? ''}:${id}`,
    authId: 'root@pam',
  })
  recordTask(holder, { upid, status: 'OK', endtime: at })
  job.lastRun = { upid, state: 'OK', endtime: at }
  return copied
}

/** An end of a sync job. */
interface End {
  readonly state: PbsState
  readonly store: string
  readonly ns: string
}

function copyAll(holder: PbsState, other: PbsState, job: SyncJobState): number {
  const near: End = { state: holder, store: job.store, ns: job.ns ?? '' }
  const far: End = { state: other, store: job.remoteStore, ns: job.remoteNs ?? '' }
  const [from, to] = job.direction === 'pull' ? [far, near] : [near, far]
  let copied = 0
  for (const { path, groups } of findStore(from.state, from.store).namespaces) {
    const rest = restOfPath(from.ns, path)
    if (rest === null) continue
    const ns = [to.ns, rest].filter((part) => part !== '').join('/')
    if (ns !== '') addNamespace(to.state, to.store, ns)
    for (const { backupType, backupId, ...group } of groups) {
      const target = { store: to.store, ns, backupType, backupId }
      for (const snapshot of missingIn(to.state, target, [...snapshotsOf({ backupType, backupId, ...group })])) {
        addSnapshot(to.state, target, structuredClone(snapshot), 'root@pam')
        copied += 1
      }
    }
  }
  return copied
}

function restOfPath(base: string, path: string): string | null {
  if (path === base) return ''
  if (base === '') return path
  return path.startsWith(`${base}/`) ? path.slice(base.length + 1) : null
}

/** The snapshots that a sync copies to a group, which need not be there. */
function missingIn(
  state: PbsState,
  at: { readonly store: string; readonly ns: string; readonly backupType: string; readonly backupId: string },
  source: ReadonlyArray<SnapshotState>,
): ReadonlyArray<SnapshotState> {
  const group = findStore(state, at.store)
    .namespaces.find(({ path }) => path === at.ns)
    ?.groups.find(({ backupType, backupId }) => backupType === at.backupType && backupId === at.backupId)
  const times = group === undefined ? [] : [...snapshotsOf(group)].map(({ backupTime }) => backupTime)
  const newest = Math.max(0, ...times)
  return source.filter((snapshot) => isFinished(snapshot) && snapshot.backupTime > newest)
}
