import { Effect } from 'effect'

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
