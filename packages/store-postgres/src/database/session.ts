import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Exit } from 'effect'
import type { Kysely } from 'kysely'
import { storeFailed } from './store-errors.ts'
import type { Tables } from './tables.ts'

/** Runs a statement. The only bridge from a driver's promise; a statement is built and executed inside. */
export type Run = <A>(statement: (db: Kysely<Tables>) => Promise<A>) => Effect.Effect<A, StoreFailed>

/** Statements outside any transaction. `doing` names the work in errors, as a sentence's subject. */
export function runOn(db: Kysely<Tables>, doing: string): Run {
  return (statement) => Effect.suspend(() => attempt(doing, () => statement(db)))
}

/**
 * One transaction around `use`: committed at the end of the use step, rolled back when it fails, dies or is interrupted. Statements inside must go through
 * the given `run`: on PGlite, which has one session, any other would wait for the end of this very transaction.
 */
export function transactionOn<A, E, R>(
  db: Kysely<Tables>,
  doing: string,
  use: (run: Run) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E | StoreFailed, R> {
  return Effect.acquireUseRelease(
    attempt(doing, () => db.startTransaction().execute()),
    (trx) =>
      use(runOn(trx, doing)).pipe(
        // Once asked for, a commit is waited for: interrupted half way nobody would know whether it happened.
        Effect.tap(() => Effect.uninterruptible(attempt(doing, () => trx.commit().execute()))),
      ),
    (trx, exit) =>
      Exit.isSuccess(exit) || trx.isCommitted || trx.isRolledBack
        ? Effect.void
        : Effect.promise(() =>
            trx
              .rollback()
              .execute()
              // A connection that is gone has rolled back already.
              .catch(() => undefined),
          ),
  )
}

function attempt<A>(doing: string, statement: () => Promise<A>): Effect.Effect<A, StoreFailed> {
  return Effect.tryPromise({ try: statement, catch: (cause) => cause }).pipe(
    Effect.catchAll((cause) =>
      Effect.suspend(() => {
        // A cause that is a fault of ours is thrown by the translation and so becomes a defect.
        return Effect.fail(storeFailed(doing, cause))
      }),
    ),
  )
}
