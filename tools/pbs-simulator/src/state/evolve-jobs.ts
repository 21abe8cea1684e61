import type { DatastoreState, JobState, PbsState, TaskState } from './pbs-state.ts'
import type { Random } from './random.ts'
import { nextEvent } from './schedule.ts'
import { formatUpid } from './upid.ts'

const KEPT_TASKS = 2000

/** Adds a task to the archive, which keeps the newest ones only. */
export const recordTask = (state: PbsState, task: TaskState): void => {
  state.tasks.push(task)
  if (state.tasks.length > KEPT_TASKS) state.tasks.splice(0, state.tasks.length - KEPT_TASKS)
}

const outcomes = ['OK', 'OK', 'OK', 'OK', 'WARNINGS: 2', 'unknown', 'connection error: connection reset by peer']

/** A job that runs by schedule, and the task of its run. */
interface Scheduled {
  readonly job: JobState
  readonly workerType: string
  readonly workerId: string
}

const runJob = (state: PbsState, { job, workerType, workerId }: Scheduled, random: Random): void => {
  const startTime = state.now - 600 - random.upTo(3000)
  const upid = formatUpid({
    node: state.name,
    taskId: 0x300 + random.upTo(0x1000),
    startTime,
    workerType,
    workerId,
    authId: 'root@pam',
  })
  const outcome = random.pick(outcomes)
  // A worker that died leaves its start time as its end.
  const endtime = outcome === 'unknown' ? startTime : startTime + 1 + random.upTo(500)
  job.lastRun = { upid, state: outcome, endtime }
  recordTask(state, { upid, status: outcome, endtime })
}

/** Worker ids as PBS makes them: that of a prune job names its store and namespace only. */
const scheduledJobs = ({ jobs }: PbsState): readonly Scheduled[] =>
  [
    ...jobs.verify.map((job) => ({ job, workerType: 'verificationjob', workerId: `${job.store}:${job.id}` })),
    ...jobs.prune
      .filter(({ disable }) => !disable)
      .map((job) => ({ job, workerType: 'prunejob', workerId: job.ns ? `${job.store}:${job.ns}` : job.store })),
    ...jobs.sync.map((job) => ({
      job,
      workerType: 'syncjob',
      workerId: `${job.remote ?? '-'}:${job.remoteStore}:${job.store}:${job.ns ?? ''}:${job.id}`,
    })),
    ...jobs.tape.map((job) => ({
      job,
      workerType: 'tape-backup-job',
      workerId: `${job.store}:${job.options['pool']}:${job.options['drive']}:${job.id}`,
    })),
  ].filter(({ job }) => job.schedule !== null)

/**
 * Runs jobs and computes their next runs; says how many ran.
 *
 * With `share` null those run that were due, and one more as if an operator had clicked "run now".
 */
export const evolveJobs = (state: PbsState, random: Random, share: number | null): number => {
  const jobs = scheduledJobs(state)
  const clicked = random.upTo(Math.max(1, jobs.length))
  let ran = 0
  for (const [index, scheduled] of jobs.entries()) {
    const { job } = scheduled
    const due = job.nextRun !== null && job.nextRun <= state.now
    if (share === null ? due || index === clicked : random.chance(share)) {
      runJob(state, scheduled, random)
      ran += 1
    }
    job.nextRun = nextEvent(job.schedule, job.lastRun?.endtime ?? state.now, state.timezone)
  }
  return ran
}

/** Collects garbage in a store when it is due: a success that moves the numbers of the last one. */
export const evolveGc = (state: PbsState, store: DatastoreState, random: Random): void => {
  const { gc } = store
  if (store.gcSchedule === null || gc.nextRun === null || gc.nextRun > state.now) return
  const startTime = gc.nextRun + random.upTo(60)
  const upid = formatUpid({
    node: state.name,
    taskId: 0x2000 + random.upTo(0x1000),
    startTime,
    workerType: 'garbage_collection',
    workerId: store.name,
    authId: 'root@pam',
  })
  const removed = random.upTo(30_000)
  gc.status = { ...gc.status, upid, 'removed-chunks': removed, 'removed-bytes': removed * 1_900_000 }
  const endtime = Math.min(state.now, startTime + 60 + random.upTo(900))
  gc.lastRun = { state: 'OK', endtime }
  recordTask(state, { upid, status: 'OK', endtime })
  gc.nextRun = nextEvent(store.gcSchedule, state.now, state.timezone)
}
