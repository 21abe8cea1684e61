import { createRandom, type Random } from '../fleet/random.ts'
import { nextEvent } from '../fleet/schedule.ts'
import { unavailability } from './availability.ts'
import { pruneGroup } from './operations.ts'
import type { DatastoreState, JobState, PbsState } from './pbs-state.ts'
import { countOf, seriesTime } from './series.ts'
import { formatUpid } from './upid.ts'

/** How much happens in one step. Shares are probabilities 0..1 per group or job. */
export interface EvolveOptions {
  readonly seed?: number
  /** The time after the step; a day later when left out. */
  readonly now?: number
  /** Groups that get the backups due until `now`. Default 1. */
  readonly backups?: number
  /** Groups that lose as many old snapshots as they got new ones. Default 1. */
  readonly prunes?: number
  /** Whether a verify job runs in each store. Default false. */
  readonly verify?: boolean
  /** Jobs that run. Default 1. */
  readonly jobRuns?: number
}

/** What a step did. */
export interface Evolution {
  readonly added: number
  readonly removed: number
  readonly jobsRun: number
}

const DAY = 86_400
const DEFAULT_SEED = 0xe701

const evolveGroups = (
  state: PbsState,
  store: DatastoreState,
  random: Random,
  options: EvolveOptions,
): { added: number; removed: number } => {
  let [added, removed] = [0, 0]
  for (const { groups } of store.namespaces)
    for (const group of groups) {
      const { series } = group
      if (series === null || !random.chance(options.backups ?? 1)) continue
      const before = countOf(group)
      while (seriesTime(series, series.to) <= state.now) series.to += 1
      const grown = countOf(group) - before
      added += grown
      if (grown > 0 && random.chance(options.prunes ?? 1)) removed += pruneGroup(group, Math.max(1, before))
    }
  return { added, removed }
}

const verifyStore = (state: PbsState, store: DatastoreState): void => {
  const job = state.jobs.verify.find((candidate) => candidate.store === store.name)
  const workerId = `${store.name}:${job?.id ?? 'v-manual'}`
  const startTime = state.now - 1800
  const upid = formatUpid({
    node: state.name,
    taskId: 0x200,
    startTime,
    workerType: 'verificationjob',
    workerId,
    authId: 'root@pam',
  })
  const shared = new Set(
    store.namespaces.flatMap(({ groups }) => groups.map(({ series }) => series?.verifyRuns ?? null)),
  )
  for (const runs of shared) runs?.push({ upid, startTime })
}

const outcomes = ['OK', 'OK', 'OK', 'OK', 'WARNINGS: 2', 'unknown', 'TASK ERROR: connection reset by peer']

const runJob = (state: PbsState, job: JobState, workerType: string, random: Random): void => {
  const startTime = state.now - 600 - random.below(3000)
  const workerId = `${job.store}:${job.id}`
  const upid = formatUpid({
    node: state.name,
    taskId: 0x300 + random.below(0x1000),
    startTime,
    workerType,
    workerId,
    authId: 'root@pam',
  })
  const outcome = random.pick(outcomes)
  job.lastRun = { upid, state: outcome, endtime: outcome === 'unknown' ? startTime : startTime + 1 + random.below(500) }
}

const evolveJobs = (state: PbsState, random: Random, share: number): number => {
  const { verify, prune, sync, tape } = state.jobs
  const scheduled: readonly (readonly [JobState, string])[] = [
    ...verify.map((job) => [job, 'verificationjob'] as const),
    ...prune.filter(({ disable }) => !disable).map((job) => [job, 'prunejob'] as const),
    ...sync.map((job) => [job, 'syncjob'] as const),
    ...tape.map((job) => [job, 'tape-backup-job'] as const),
  ]
  let ran = 0
  for (const [job, workerType] of scheduled) {
    if (job.schedule === null) continue
    if (random.chance(share)) {
      runJob(state, job, workerType, random)
      ran += 1
    }
    job.nextRun = nextEvent(job.schedule, job.lastRun?.endtime ?? state.now, state.timezone)
  }
  return ran
}

const evolveUsage = (store: DatastoreState, random: Random): void => {
  const { usage } = store
  const change = Math.round(usage.total * (random.below(40) - 15) * 0.0001)
  const used = Math.min(usage.total, Math.max(0, usage.used + change))
  usage.avail = Math.max(0, usage.avail - (used - usage.used))
  usage.used = used
}

/**
 * Lets time pass: due backups, pruning that keeps group sizes, verification, job runs, changed usage.
 *
 * Deterministic by seed and state. Stores that cannot be read stay as they are.
 */
export const evolve = (state: PbsState, options: EvolveOptions = {}): Evolution => {
  state.now = options.now ?? state.now + DAY
  const random = createRandom((options.seed ?? DEFAULT_SEED) ^ state.now)
  let [added, removed] = [0, 0]
  for (const store of state.datastores) {
    if (unavailability(state, store) !== null || store.maintenance !== null) continue
    const step = evolveGroups(state, store, random, options)
    added += step.added
    removed += step.removed
    if (options.verify === true) verifyStore(state, store)
    evolveUsage(store, random)
  }
  return { added, removed, jobsRun: evolveJobs(state, random, options.jobRuns ?? 1) }
}
