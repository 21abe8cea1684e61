import { Effect, Fiber } from 'effect'

/**
 * Goes on when the caller is interrupted: what has begun at the gateway is confirmed or undone,
 * whoever still waits for it. A fiber of its own and not an uninterruptible region, in which no
 * timeout of a call could end it.
 */
export const runDetached = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(work)), Fiber.join)

/** Runs an effect; when it fails, `undo` is run and the failure stays what it was. */
export const withCompensation = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  undo: Effect.Effect<B, E2, R2>,
): Effect.Effect<A, E, R | R2> =>
  Effect.tapErrorCause(effect, () =>
    Effect.catchAllCause(undo, (cause) =>
      Effect.logWarning('a server could not be put back as it was; the next sync of the servers settles it', cause),
    ),
  )
