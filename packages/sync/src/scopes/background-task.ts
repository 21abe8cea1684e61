import { Cause, Deferred, Effect, Fiber } from 'effect'
import type { JobStopped } from './scope-work.ts'

/**
 * Work that runs while a stream is read: one piece at a time, in the order they were started.
 * A failure ends the reading at once, and the end of the reading ends the work.
 */
export class BackgroundTask {
  readonly #failed: Deferred.Deferred<never, JobStopped>
  #piece: Fiber.RuntimeFiber<void, JobStopped> | null = null

  private constructor(failed: Deferred.Deferred<never, JobStopped>) {
    this.#failed = failed
  }

  static readonly make: Effect.Effect<BackgroundTask> = Effect.map(
    Deferred.make<never, JobStopped>(),
    (failed) => new BackgroundTask(failed),
  )

  /** Reads until the background work fails. All pieces must be started inside. */
  during<A, E, R>(reading: Effect.Effect<A, E, R>): Effect.Effect<A, E | JobStopped, R> {
    return Effect.raceFirst(reading, Deferred.await(this.#failed))
  }

  /** Starts a piece when the one before it has ended: at most one waits for its reader, which bounds the memory. */
  start<R>(work: Effect.Effect<void, JobStopped, R>): Effect.Effect<void, JobStopped, R> {
    return Effect.gen(this, function* () {
      yield* this.over
      const piece = Effect.tapErrorCause(work, (cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.void : Deferred.failCause(this.#failed, cause),
      )
      this.#piece = yield* Effect.fork(piece)
    })
  }

  /** Waits until everything that was started is over. */
  get over(): Effect.Effect<void, JobStopped> {
    return Effect.suspend(() => (this.#piece === null ? Effect.void : Fiber.join(this.#piece)))
  }

  /** Interrupts the work that was started and is not finished. */
  get stop(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const piece = this.#piece
      this.#piece = null
      return piece === null ? Effect.void : Effect.asVoid(Fiber.interrupt(piece))
    })
  }
}
