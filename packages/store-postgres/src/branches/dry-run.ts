import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Data, Effect } from 'effect'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'

/** Ends a dry run: carries its result out of the transaction that is rolled back. */
class DryRun extends Data.TaggedError('DryRun')<{ readonly result: unknown }> {}

/**
 * One transaction that commits, or without `commit` rolls back at its end. The work and the result
 * are the same.
 */
export function transactionOrDryRun<A, E>(
  database: Database['Type'],
  { operation, commit }: { readonly operation: string; readonly commit: boolean },
  use: (run: Run) => Effect.Effect<A, E>,
): Effect.Effect<A, E | StoreFailed> {
  return database
    .transaction(operation, (run) =>
      Effect.flatMap(use(run), (result) => (commit ? Effect.succeed(result) : new DryRun({ result }))),
    )
    .pipe(
      Effect.catchAll((error) =>
        // Only what `use` gave travels in it.
        error instanceof DryRun ? Effect.succeed(error.result as A) : Effect.fail(error as E | StoreFailed),
      ),
    )
}
