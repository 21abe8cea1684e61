import { type ClaimedJob, Queue, Runs, type StoreFailed } from '@netbox-pbs/core/ports'
import { type JobOutcome, type JobPorts, runJob } from '@netbox-pbs/sync'
import { Cause, Effect, Exit, Option, Schedule } from 'effect'

/** A claim is kept by saying so several times before its minute is over. */
const heartbeat = Schedule.spaced('15 seconds')

/**
 * Runs a job that this worker holds, and says to the queue what became of it. Interrupted, it gives the job back: the scope that was open is dropped, and
 * another worker goes on with what has not landed.
 */
export const workOn = Effect.fn('worker.workOn')(function* (
  claimed: ClaimedJob,
): Effect.fn.Return<void, StoreFailed, JobPorts> {
  const queue = yield* Queue
  const { runId, server } = claimed.job
  const beat = queue.heartbeat(claimed).pipe(
    Effect.catchAll(({ message }) =>
      Effect.logWarning('a job could not be kept').pipe(Effect.annotateLogs({ message })),
    ),
    Effect.schedule(heartbeat),
  )
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(restore(Effect.raceFirst(runJob(claimed), Effect.zipRight(beat, Effect.never))))
      yield* Exit.matchEffect(exit, {
        onSuccess: (outcome) => settle(claimed, outcome),
        onFailure: (cause) => settleFailure(claimed, cause),
      })
      if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) yield* Effect.interrupt
    }),
  ).pipe(Effect.annotateLogs({ run: runId, server: server ?? 'the gateway' }))
})

const settle = (claimed: ClaimedJob, outcome: JobOutcome): Effect.Effect<void, StoreFailed, Queue> =>
  Effect.flatMap(Queue, (queue) => {
    switch (outcome._tag) {
      case 'done':
        return queue.complete(claimed)
      case 'retry':
        return Effect.zipRight(
          Effect.logWarning('a job is tried again', outcome.reason),
          queue.retry(claimed, outcome.reason),
        )
      case 'lost':
        return Effect.logWarning('a job was taken over by another worker')
    }
  })

const settleFailure = (
  claimed: ClaimedJob,
  cause: Cause.Cause<StoreFailed>,
): Effect.Effect<void, StoreFailed, Queue | Runs> =>
  Effect.gen(function* () {
    const queue = yield* Queue
    if (Cause.isInterruptedOnly(cause)) return yield* queue.release(claimed)
    const failure = Cause.failureOption(cause)
    if (Option.isSome(failure)) {
      // Its end could not be recorded. A job that is not kept any more is taken again in a minute; one that is given up would leave its run open.
      return claimed.last ? yield* failure.value : yield* queue.retry(claimed, failure.value.message)
    }
    yield* Effect.logError('a job met a bug', cause)
    if (!claimed.last) return yield* queue.retry(claimed, bug)
    yield* (yield* Runs).endJob({ id: claimed.job.runId, server: claimed.job.server, error: bug })
    yield* queue.complete(claimed)
  })

const bug = 'the worker met a bug; its log has the details'
