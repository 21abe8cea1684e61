import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type ClaimedJob,
  type Findings,
  Inventory,
  Objectives,
  Queue,
  Runs,
  type StoreFailed,
  Workers,
} from '@netbox-pbs/core/ports'
import {
  bug,
  endJob,
  endLostJobs,
  evaluateFindings,
  type JobOutcome,
  type JobPorts,
  type RetentionPorts,
  removeOld,
  runJob,
  type SchedulePorts,
} from '@netbox-pbs/sync'
import { Cause, Clock, Duration, Effect, Exit, Option, Schedule } from 'effect'
import { keepSchedule } from './keep-schedule.ts'
import { Slots } from './slots.ts'
import { type DeliveryPorts, followEvents, sendDue } from './webhooks/keep-delivering.ts'

/** How a worker works. */
export interface WorkerOptions {
  /** Jobs at a time; of one server never more than one. */
  readonly concurrency: number
  /** Pause before an empty queue is asked again. */
  readonly pollMillis?: number
  /** How long one job may take; twelve hours. */
  readonly jobTimeLimit?: Duration.Duration
}

/** The ports a worker works with. */
export type WorkerPorts = JobPorts | SchedulePorts | RetentionPorts | DeliveryPorts | Findings | Objectives | Workers

/** A job that takes longer is slow, and its server gets no last free slot until one of its jobs takes less. */
const slowAfter = 60_000

const defaultPollMillis = 1000

/** Pause after the database failed. */
const restMillis = 5000

/** Webhooks sent at a time. A receiver that is slow holds one of them for as long as an attempt may take. */
const sendersAtOnce = 4

/** A job whose workers were lost this often may be the cause of their end, so it is given up. */
const mostAttempts = 10

/**
 * Runs a worker until it is interrupted: it takes jobs from the queue and runs them, starts the
 * runs that are due, ends runs whose jobs are lost, judges groups, then what findings there are, sends events to webhooks, and removes old records. An interrupt drops the
 * open scopes and gives the jobs back to the queue.
 */
export const runWorker = (options: WorkerOptions): Effect.Effect<never, never, WorkerPorts> => {
  const { pollMillis = defaultPollMillis } = options
  const slots = new Slots({ concurrency: options.concurrency, slowAfter })
  // One loop asks the queue at a time, so that each knows which slots have jobs.
  const asking = Effect.unsafeMakeSemaphore(1)
  // One loop more than slots: slow jobs free one extra slot.
  const loops = Array.from({ length: options.concurrency + 1 }, () => workForever({ slots, asking, options }))
  return Effect.all(
    [
      beatForever,
      keepSchedule,
      repeatForever(endLostJobs, { what: 'ending lost jobs', every: '1 minute' }),
      repeatForever(removeOld, { what: 'removing old records', every: '1 minute' }),
      repeatForever(judgeWaiting, { what: 'judging groups', every: '1 minute' }),
      repeatForever(evaluateFindings, { what: 'judging the findings', every: pollMillis }),
      repeatForever(followEvents, { what: 'following events', every: pollMillis }),
      ...Array.from({ length: sendersAtOnce }, () =>
        repeatForever(sendDue, { what: 'sending webhooks', every: pollMillis }),
      ),
      ...loops,
    ],
    { concurrency: 'unbounded', discard: true },
  ).pipe(Effect.zipRight(Effect.never))
}

/** Judges the groups that wait for it. */
const judgeWaiting: Effect.Effect<boolean, StoreFailed, Objectives> = Effect.flatMap(Objectives, (objectives) =>
  objectives.judge(),
).pipe(Effect.repeat({ while: (more) => more }))

/** Reports every fifteen seconds that this worker lives, and at its end that it has stopped. */
const beatForever: Effect.Effect<never, never, Workers> = Effect.gen(function* () {
  const workers = yield* Workers
  const worker = { id: randomUUID(), name: `${hostname()} ${process.pid}` }
  return yield* repeatForever(workers.heartbeat(worker), {
    what: 'recording the heartbeat of the worker',
    every: '15 seconds',
  }).pipe(
    // With the database down, the missing heartbeats say the same.
    Effect.ensuring(Effect.ignore(Effect.timeout(workers.stopped(worker), '2 seconds'))),
  )
})

/**
 * Repeats a background task until it is interrupted. A failure is logged, and the next attempt
 * follows as usual.
 */
const repeatForever = <R>(
  task: Effect.Effect<unknown, StoreFailed, R>,
  { what, every }: { readonly what: string; readonly every: Duration.DurationInput },
): Effect.Effect<never, never, R> =>
  task.pipe(
    Effect.catchAll(({ message }) => Effect.logWarning('a background task failed and will run again', message)),
    Effect.catchAllDefect((defect) => Effect.logError('internal error in the worker', defect)),
    Effect.annotateLogs({ what }),
    Effect.zipRight(Effect.sleep(every)),
    Effect.forever,
  )

/** The context that the loops of a worker share. */
interface Loop {
  readonly slots: Slots
  readonly asking: Effect.Semaphore
  readonly options: WorkerOptions
}

/** Takes jobs one after the other, and pauses when the queue is empty or the database fails. */
const workForever = (loop: Loop): Effect.Effect<never, never, JobPorts> =>
  workInSlot(loop).pipe(
    Effect.map((worked) => (worked ? 0 : (loop.options.pollMillis ?? defaultPollMillis))),
    Effect.catchAll(({ message }) =>
      Effect.as(Effect.logError('the worker waits before its next try', message), restMillis),
    ),
    Effect.catchAllDefect((defect) => Effect.as(Effect.logError('internal error in the worker', defect), restMillis)),
    Effect.flatMap((millis) => (millis > 0 ? Effect.sleep(millis) : Effect.yieldNow())),
    Effect.forever,
  )

/** Takes a slot, then a job that may have it. The next loop asks the queue as soon as this one has its answer. */
const workInSlot = ({ slots, asking, options }: Loop): Effect.Effect<boolean, StoreFailed, JobPorts> =>
  Effect.acquireUseRelease(
    Effect.interruptible(asking.take(1)).pipe(
      Effect.zipRight(Clock.currentTimeMillis),
      Effect.map((now) => ({ slot: slots.take(now), asks: true })),
    ),
    (turn) => {
      if (turn.slot === null) return Effect.succeed(false)
      const { avoid, use } = turn.slot
      const onTaken = (serverId: number | null) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          use(serverId, now)
          turn.asks = false
          return asking.release(1)
        })
      return takeJob({ avoid, onTaken, timeLimit: options.jobTimeLimit })
    },
    ({ slot, asks }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        slot?.free(now)
        return asks ? asking.release(1) : Effect.void
      }),
  )

/** Which job to take, and how long it may take. */
interface TakeOptions {
  /** Ids of servers whose jobs are left to others for a while. */
  readonly avoid?: ReadonlyArray<number>
  /** Called with the id of the server of the job that was taken; null is the gateway. */
  readonly onTaken?: (serverId: number | null) => Effect.Effect<void>
  /** The limit of a whole job; then its scopes that have not landed are given up. */
  readonly timeLimit?: Duration.Duration | undefined
}

const takeJob = ({
  avoid = [],
  onTaken = () => Effect.void,
  timeLimit = Duration.hours(12),
}: TakeOptions): Effect.Effect<boolean, StoreFailed, JobPorts> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // An interrupted claim may still have taken the job, and no worker would run it.
      const claimed = yield* (yield* Queue).claim({ avoid })
      if (Option.isNone(claimed)) return false
      yield* onTaken(claimed.value.job.serverId)
      yield* restore(workOn(claimed.value, timeLimit))
      return true
    }),
  ).pipe(Effect.withSpan('worker.tick'))

/**
 * Takes one job of any server, if there is one, and runs it within the usual time limit. False: the
 * queue is empty.
 */
export const tick: Effect.Effect<boolean, StoreFailed, JobPorts> = takeJob({})

/**
 * Runs a job that this worker holds, and reports its outcome to the queue. An interrupt drops the
 * open scope and returns the job: another worker continues with the scopes that have not landed.
 */
const workOn = Effect.fn('worker.workOn')(function* (
  claimed: ClaimedJob,
  timeLimit: Duration.Duration,
): Effect.fn.Return<void, StoreFailed, JobPorts> {
  const server = yield* nameOf(claimed)
  if (claimed.attempt > mostAttempts) return yield* giveUp(claimed, workersLost)
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const work = Effect.raceFirst(runJob(claimed), keepClaim(claimed))
      const overtime = Effect.as(Effect.sleep(timeLimit), 'overtime' as const)
      const exit = yield* Effect.exit(restore(Effect.raceFirst(work, overtime)))
      yield* Exit.matchEffect(exit, {
        onSuccess: (outcome) =>
          outcome === 'overtime' ? giveUp(claimed, tookTooLong(server, timeLimit)) : report(claimed, outcome),
        onFailure: (cause) => reportFailure(claimed, cause),
      })
      if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) yield* Effect.interrupt
    }),
  ).pipe(Effect.annotateLogs({ run: claimed.job.runId, server }))
})

/**
 * Renews the claim of a job until interrupted, four times within the time after which its worker
 * counts as lost.
 */
const keepClaim = (claimed: ClaimedJob): Effect.Effect<never, never, Queue> =>
  Effect.flatMap(Queue, (queue) => queue.heartbeat(claimed)).pipe(
    Effect.catchAll(({ message }) =>
      Effect.logWarning('the claim of a job could not be renewed').pipe(Effect.annotateLogs({ cause: message })),
    ),
    Effect.schedule(Schedule.spaced(Duration.seconds(claimed.heartbeatTimeoutSeconds / 4))),
    Effect.zipRight(Effect.never),
  )

const report = (claimed: ClaimedJob, outcome: JobOutcome): Effect.Effect<void, StoreFailed, Queue | Runs> =>
  Effect.gen(function* () {
    const queue = yield* Queue
    switch (outcome._tag) {
      case 'done':
        return yield* queue.complete(claimed)
      case 'retry':
        yield* Effect.logWarning('a job is tried again', outcome.reason)
        return yield* retry(claimed, outcome.reason)
      case 'renamed':
        yield* Effect.logInfo('a job begins again', outcome.reason)
        return yield* beginAgain(claimed, outcome.reason)
      case 'lost':
        // A worker that took the job over keeps it: the queue tells the attempts apart. Otherwise, as when the
        // database lost the change set in a crash, the job starts again at once.
        yield* Effect.logWarning('a job was lost to another worker or a crash')
        return yield* queue.release(claimed)
    }
  })

const reportFailure = (
  claimed: ClaimedJob,
  cause: Cause.Cause<StoreFailed>,
): Effect.Effect<void, StoreFailed, JobPorts> =>
  Effect.gen(function* () {
    if (Cause.isInterruptedOnly(cause)) return yield* (yield* Queue).release(claimed)
    const failure = Cause.failureOption(cause)
    if (Option.isSome(failure)) {
      // The end of the job could not be recorded. Without a report the queue gives the job out
      // again in a minute; a job given up here would leave its run open.
      return claimed.last ? yield* failure.value : yield* retry(claimed, failure.value.message)
    }
    yield* Effect.logError('internal error in a job', cause)
    yield* claimed.last ? giveUp(claimed, bug) : retry(claimed, bug)
  })

const retry = (claimed: ClaimedJob, reason: string): Effect.Effect<void, StoreFailed, Queue | Runs> =>
  Effect.gen(function* () {
    const { runId: id, serverId } = claimed.job
    yield* (yield* Queue).retry(claimed, reason)
    yield* (yield* Runs).retryJob({ id, serverId, reason })
  })

/** Gives a job back at once, without counting the try. */
const beginAgain = (claimed: ClaimedJob, reason: string): Effect.Effect<void, StoreFailed, Queue | Runs> =>
  Effect.gen(function* () {
    const { runId: id, serverId } = claimed.job
    // Noted first: another worker may take the job as soon as it is given back.
    yield* (yield* Runs).retryJob({ id, serverId, reason })
    yield* (yield* Queue).release(claimed)
  })

const giveUp = (claimed: ClaimedJob, error: string): Effect.Effect<void, StoreFailed, JobPorts> =>
  Effect.gen(function* () {
    const { runId: id, serverId } = claimed.job
    yield* endJob({ id, serverId, error })
    yield* (yield* Queue).complete(claimed)
  })

const workersLost = `it was given up: ${mostAttempts} times a worker that held it stopped; the logs of the workers have the reason`

const tookTooLong = (server: string, limit: Duration.Duration): string =>
  `the job of ${server} was ended after ${Duration.format(limit)}: scopes that had not landed by then were not read; look for a slow datastore, or raise --job-time-limit`

/** Name of a job's server, for logs and messages. A job whose server name cannot be read still runs. */
const nameOf = ({ job: { serverId } }: ClaimedJob): Effect.Effect<string, never, Inventory> =>
  serverId === null
    ? Effect.succeed('the gateway')
    : Effect.flatMap(Inventory, (inventory) => inventory.serverName({ id: serverId })).pipe(
        Effect.orElseSucceed(() => Option.none<string>()),
        Effect.map(Option.getOrElse(() => `server ${serverId}`)),
      )
