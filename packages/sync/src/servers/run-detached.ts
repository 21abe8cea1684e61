import { Effect, Fiber } from 'effect'

/**
 * Goes on when the caller is interrupted: what has begun at the gateway is confirmed or undone, whoever still waits for it. A fiber of its own and
 * not an uninterruptible region, in which no timeout of a call could end it.
 */
export const runDetached = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(work)), Fiber.join)
