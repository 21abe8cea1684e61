import { type ClaimedJob, Inventory, Queue, Runs, type StoreFailed } from '@netbox-pbs/core/ports'
import { bug, endJob, type JobOutcome, type JobPorts, runJob } from '@netbox-pbs/sync'
import { Cause, Duration, Effect, Exit, Option, Schedule } from 'effect'

/** What one job may take. */
export interface JobLimits {
  /** From its start to its end; twelve hours. Then its scopes that have not landed are given up. */
  readonly timeLimit?: Duration.Duration
}

/** A claim is kept by saying so several times before its worker would be held to be lost. */
const heartbeat = ({ heartbeatTimeoutSeconds }: ClaimedJob) =>
  Schedule.spaced(Duration.seconds(heartbeatTimeoutSeconds / 4))

/** A job whose workers were lost so often may be what ends them: it is not begun again. */
const mostAttempts = 10

/**
 * Runs a job that this worker holds, and says to the queue what became of it. Interrupted, it gives the job back: the scope that was open is dropped, and
 * another worker goes on with what has not landed.
 */
export const workOn = Effect.fn('worker.workOn')(function* (
  claimed: ClaimedJob,
  { timeLimit = Duration.hours(12) }: JobLimits = {},
): Effect.fn.Return<void, StoreFailed, JobPorts> {
  const queue = yield* Queue
  const { runId } = claimed.job
  const server = yield* nameOf(claimed)
  if (claimed.attempt > mostAttempts) return yield* giveUp(claimed, workersLost)
  const beat = queue.heartbeat(claimed).pipe(
    Effect.catchAll(({ message }) =>
      Effect.logWarning('a job could not be kept').pipe(Effect.annotateLogs({ cause: message })),
    ),
    Effect.schedule(heartbeat(claimed)),
  )
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const work = Effect.raceFirst(runJob(claimed), Effect.zipRight(beat, Effect.never))
      const exit = yield* Effect.exit(
        restore(Effect.raceFirst(work, Effect.as(Effect.sleep(timeLimit), 'overtime' as const))),
      )
      yield* Exit.matchEffect(exit, {
        onSuccess: (outcome) =>
          outcome === 'overtime' ? giveUp(claimed, tookTooLong(server, timeLimit)) : settle(claimed, outcome),
        onFailure: (cause) => recordFailure(claimed, cause),
      })
      if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) yield* Effect.interrupt
    }),
  ).pipe(Effect.annotateLogs({ run: runId, server }))
})

const settle = (claimed: ClaimedJob, outcome: JobOutcome): Effect.Effect<void, StoreFailed, Queue | Runs> =>
  Effect.flatMap(Queue, (queue) => {
    switch (outcome._tag) {
      case 'done':
        return queue.complete(claimed)
      case 'retry':
        return Effect.zipRight(
          Effect.logWarning('a job is tried again', outcome.reason),
          retry(claimed, outcome.reason),
        )
      case 'renamed':
        return Effect.zipRight(
          Effect.logInfo('a job begins again', outcome.reason),
          beginAgain(claimed, outcome.reason),
        )
      case 'lost':
        // A worker that took the job over keeps it: the queue tells the attempts apart. Otherwise, as when the
        // database lost the change set in a crash, the job starts again at once.
        return Effect.zipRight(Effect.logWarning('a job was lost to another worker or a crash'), queue.release(claimed))
    }
  })

const recordFailure = (
  claimed: ClaimedJob,
  cause: Cause.Cause<StoreFailed>,
): Effect.Effect<void, StoreFailed, JobPorts> =>
  Effect.gen(function* () {
    const queue = yield* Queue
    if (Cause.isInterruptedOnly(cause)) return yield* queue.release(claimed)
    const failure = Cause.failureOption(cause)
    if (Option.isSome(failure)) {
      // Its end could not be recorded. A job that is not kept any more is taken again in a minute; one that is given up would leave its run open.
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

/** Name of a job's server, for logs and messages. A job whose server name cannot be read still runs. */
const nameOf = ({ job: { serverId } }: ClaimedJob): Effect.Effect<string, never, Inventory> =>
  serverId === null
    ? Effect.succeed('the gateway')
    : Effect.flatMap(Inventory, (inventory) => inventory.serverName({ id: serverId })).pipe(
        Effect.orElseSucceed(() => Option.none<string>()),
        Effect.map(Option.getOrElse(() => `server ${serverId}`)),
      )

const giveUp = (claimed: ClaimedJob, error: string): Effect.Effect<void, StoreFailed, JobPorts> =>
  Effect.gen(function* () {
    const { runId: id, serverId } = claimed.job
    yield* endJob({ id, serverId, error })
    yield* (yield* Queue).complete(claimed)
  })

const workersLost = `it was given up: ${mostAttempts} times a worker that held it stopped; the logs of the workers have the reason`

const tookTooLong = (server: string, limit: Duration.Duration): string =>
  `the job of ${server} was ended after ${Duration.format(limit)}: what had not landed by then was not read; look for a slow datastore, or raise --job-time-limit`
