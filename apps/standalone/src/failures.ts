import { WrongUsage } from '@netbox-pbs/app-shell'
import { Data, Effect } from 'effect'

/** Something outside prevents the command. Ends with exit code 1; the message is one sentence with the next step. */
export class CannotRun extends Data.TaggedError('CannotRun')<{ readonly message: string; readonly cause?: unknown }> {}

/** A command's work, and what it may fail with. */
export type Task = Effect.Effect<void, WrongUsage | CannotRun>

/** What rooms fail with is told to the operator in their own words. */
export const asExpected = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, WrongUsage | CannotRun, R> =>
  Effect.mapError(effect, (error) =>
    error instanceof WrongUsage || error instanceof CannotRun
      ? error
      : new CannotRun({ message: error.message, cause: error }),
  )
