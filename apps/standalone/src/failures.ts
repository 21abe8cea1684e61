import { WrongUsage } from '@netbox-pbs/app-shell'
import { Data, Effect } from 'effect'

/** Something outside prevents the command. Ends with exit code 1; the message is one sentence with the next step. */
export class CannotRun extends Data.TaggedError('CannotRun')<{ readonly message: string; readonly cause?: unknown }> {}

/** A sync completed, and its changes wait in a branch for a person. Ends with exit code 3. */
export class WaitsForReview extends Data.TaggedError('WaitsForReview')<{
  readonly runId: number
  readonly changes: number
}> {
  readonly exitCode = 3

  override get message(): string {
    return `run ${this.runId} has landed nothing of ${this.changes} changes: they wait for review`
  }
}

/** Stored values are not those that follow from their rows. Ends with exit code 1. */
export class ValuesDiffer extends Data.TaggedError('ValuesDiffer')<{ readonly message: string }> {}

/** What was to be checked could not be read. Ends with exit code 2. */
export class NotChecked extends Data.TaggedError('NotChecked')<{ readonly message: string; readonly cause?: unknown }> {
  readonly exitCode = 2
}

/** A command's work, and its expected errors. */
export type Task = Effect.Effect<void, WrongUsage | CannotRun | WaitsForReview | ValuesDiffer | NotChecked>

/** Takes the work of the command that was called. */
export type Choose = (task: Task) => void

/** Shows the errors of packages to the operator in their own words. */
export const asExpected = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, WrongUsage | CannotRun, R> =>
  Effect.mapError(effect, (error) =>
    error instanceof WrongUsage || error instanceof CannotRun
      ? error
      : new CannotRun({ message: error.message, cause: error }),
  )
