import { unavailability } from './availability.ts'
import { evolveGc, evolveJobs, recordTask } from './evolve-jobs.ts'
import { pruneGroup } from './operations.ts'
import type { DatastoreState, GroupState, PbsState } from './pbs-state.ts'
import { createRandom, type Random } from './random.ts'
import { countOf, newestOf, seriesTime, snapshotAt } from './series.ts'
import { formatUpid } from './upid.ts'

/** How much happens in one step. Shares are probabilities 0..1 per group or job. */
export interface EvolveOptions {
  readonly seed?: number
  /** The time after the step; a day later when left out. */
  readonly now?: number
  /** Groups that get the backups due until `now`. Default 1. */
  readonly backups?: number
  /** Manual backups per server taken just now. Default 1, or 0 when `backups` is 0. */
  readonly extraBackups?: number
  /** Groups with new snapshots that lose as many old ones. Default 1. */
  readonly prunes?: number
  /** Whether a verify job runs in each store. Default false. */
  readonly verify?: boolean
  /** Share of the scheduled jobs that run; when left out, those that are due and one more. */
  readonly jobRuns?: number
}

/** The result of a step. */
export interface Evolution {
  readonly added: number
  readonly removed: number
  readonly jobsRun: number
}

const DAY = 86_400
const DEFAULT_SEED = 0xe701

/** Takes the backups that are due; says how many. */
const takeDue = (state: PbsState, group: GroupState): number => {
  const { series } = group
  if (series === null) return 0
  const before = series.to
  while (seriesTime(series, series.to) <= state.now) series.to += 1
  return series.to - before
}

/** Takes one more backup, like the oldest one but unverified, and records its task; says whether it could. */
const takeExtra = (state: PbsState, store: DatastoreState, group: GroupState): boolean => {
  const newest = newestOf(group)
  const model = snapshotAt(group, 0)
  if (model === undefined || newest === undefined || newest.backupTime >= state.now) return false
  group.snapshots.push({ ...model, backupTime: state.now, protected: false, verification: null })
  const upid = formatUpid({
    node: state.name,
    taskId: 0x5000 + (state.tasks.length % 0x1000),
    startTime: state.now,
    workerType: 'backup',
    workerId: `${store.name}:${group.backupType}/${group.backupId}`,
    authId: group.owner,
  })
  recordTask(state, { upid, status: 'OK', endtime: state.now })
  return true
}

const groupsOf = (store: DatastoreState): GroupState[] =>
  store.namespaces.flatMap(({ groups }) => groups.filter(({ series }) => series !== null))

const evolveGroups = (
  state: PbsState,
  store: DatastoreState,
  random: Random,
  extra: number,
  options: EvolveOptions,
): { added: number; removed: number } => {
  const groups = groupsOf(store)
  const picked = new Set(groups.length === 0 ? [] : Array.from({ length: extra }, () => random.pick(groups)))
  let [added, removed] = [0, 0]
  for (const group of groups) {
    const before = countOf(group)
    let grown = random.chance(options.backups ?? 1) ? takeDue(state, group) : 0
    if (picked.has(group) && takeExtra(state, store, group)) grown += 1
    added += grown
    if (grown > 0 && random.chance(options.prunes ?? 1)) removed += pruneGroup(group, before)
  }
  return { added, removed }
}

const verifyStore = (state: PbsState, store: DatastoreState): void => {
  const job = state.jobs.verify.find((candidate) => candidate.store === store.name)
  const startTime = state.now - 1800
  const upid = formatUpid({
    node: state.name,
    taskId: 0x200,
    startTime,
    workerType: 'verificationjob',
    workerId: `${store.name}:${job?.id ?? 'v-manual'}`,
    authId: 'root@pam',
  })
  const runLists = new Set(groupsOf(store).map(({ series }) => series?.verifyRuns ?? null))
  for (const runs of runLists) runs?.push({ upid, startTime })
}

const evolveUsage = ({ usage }: DatastoreState, random: Random): void => {
  const change = Math.round(usage.total * (random.upTo(40) - 15) * 0.0001)
  const used = Math.min(usage.total, Math.max(0, usage.used + change))
  usage.avail = Math.max(0, usage.avail - (used - usage.used))
  usage.used = used
}

/**
 * Advances time: due backups, pruning that keeps group sizes, verification, garbage collection, job
 * runs, usage. It is deterministic by seed and state.
 *
 * Stores in maintenance or not mounted stay as they are.
 */
export const evolve = (state: PbsState, options: EvolveOptions = {}): Evolution => {
  state.now = options.now ?? state.now + DAY
  const random = createRandom((options.seed ?? DEFAULT_SEED) ^ state.now)
  const stores = state.datastores.filter((store) => store.maintenance === null && unavailability(state, store) === null)
  const filled = stores.filter((store) => groupsOf(store).length > 0)
  const lucky = filled.length === 0 ? undefined : random.pick(filled)
  const extraBackups = options.extraBackups ?? (options.backups === 0 ? 0 : 1)
  let [added, removed] = [0, 0]
  for (const store of stores) {
    const step = evolveGroups(state, store, random, store === lucky ? extraBackups : 0, options)
    added += step.added
    removed += step.removed
    if (options.verify === true) verifyStore(state, store)
    evolveGc(state, store, random)
    evolveUsage(store, random)
  }
  return { added, removed, jobsRun: evolveJobs(state, random, options.jobRuns ?? null) }
}
