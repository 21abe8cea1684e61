import { StoreFailed, statementLimit } from '@netbox-pbs/core/ports'
import { Duration, Effect, FiberRef, Option, Schedule } from 'effect'
import type { Kysely } from 'kysely'
import { inScope } from './statement-scope.ts'
import { isDoubtful, storeFailed } from './store-errors.ts'
import type { Tables } from './tables.ts'

/**
 * Statements outside any transaction; `operation` is the subject of a sentence in errors. On an
 * interrupt PostgreSQL cancels the running statement and waiting ones are not sent;
 * `statementLimit` bounds each statement.
 */
export function queryOn<A>(
  db: Kysely<Tables>,
  operation: string,
  use: (db: Kysely<Tables>) => Promise<A>,
): Effect.Effect<A, StoreFailed> {
  return Effect.flatMap(FiberRef.get(statementLimit), (limit) =>
    attempt(operation, () => use(db), Option.getOrNull(Option.map(limit, Duration.toMillis))),
  )
}

/** How a transaction ends. */
export interface TransactionOptions {
  /** False: a dry run, which rolls back at its end. The work and the result are the same. */
  readonly commit?: boolean
}

/** Thrown inside a transaction to roll it back and run it again from its beginning, as often as it takes. */
export class TransactionAgain extends Error {}

/** Three more tries, with growing and random pauses. */
const again = Schedule.intersect(Schedule.jittered(Schedule.exponential('50 millis', 3)), Schedule.recurs(3))

/**
 * One transaction around `use`, which gets the connection for its statements: PGlite has one session,
 * on which a statement of another connection would wait for the end of this transaction.
 *
 * It commits when `use` returns a value, and rolls back when `use` throws, is interrupted or returns
 * an error, which is the effect's failure. After a deadlock or serialization failure it runs again up
 * to three times, so `use` must have no effects outside the transaction.
 */
export function transactionOn<A>(
  db: Kysely<Tables>,
  operation: string,
  use: (trx: Kysely<Tables>) => Promise<A>,
  { commit = true }: TransactionOptions = {},
): Effect.Effect<Exclude<A, Error>, Extract<A, Error> | StoreFailed> {
  return attemptTransaction(db, operation, use, commit).pipe(
    Effect.retry({ schedule: again, while: isConflict }),
    Effect.retry({ while: (error) => error instanceof TransactionAgain }),
    // Only the others are left.
    Effect.mapError((error) => error as Exclude<typeof error, TransactionAgain>),
  )
}

const isConflict = (error: unknown): boolean => error instanceof StoreFailed && error.reason === 'conflict'

function attemptTransaction<A>(
  db: Kysely<Tables>,
  operation: string,
  use: (trx: Kysely<Tables>) => Promise<A>,
  commit: boolean,
): Effect.Effect<Exclude<A, Error>, Extract<A, Error> | StoreFailed | TransactionAgain> {
  return Effect.acquireUseRelease(
    attempt(operation, () => db.startTransaction().execute()),
    (trx) =>
      Effect.gen(function* () {
        const result = yield* untilItEnds(operation, () => use(trx))
        if (result instanceof Error) return yield* Effect.fail(result as Extract<A, Error>)
        // A commit that was sent is awaited: after an interruption its result would be unknown.
        if (commit) yield* Effect.uninterruptible(committing(operation, () => trx.commit().execute()))
        return result as Exclude<A, Error>
      }),
    (trx) =>
      trx.isCommitted || trx.isRolledBack
        ? Effect.void
        : Effect.promise(() =>
            trx
              .rollback()
              .execute()
              // A closed connection has rolled back already.
              .catch(() => undefined),
          ),
  )
}

/** A commit whose connection breaks may have been done, so its failure is `unknown`. */
const committing = (operation: string, commit: () => Promise<void>): Effect.Effect<void, StoreFailed> =>
  Effect.mapError(attempt(operation, commit), (failed) =>
    isDoubtful(failed.cause) ? new StoreFailed({ reason: 'unknown', operation, cause: failed.cause }) : failed,
  )

/**
 * Runs the statements of a transaction. Interrupted, the one under way is cancelled, none is sent
 * any more, and the end of the work is awaited: the rollback must come after it.
 */
function untilItEnds<A>(operation: string, work: () => Promise<A>): Effect.Effect<A, StoreFailed | TransactionAgain> {
  return Effect.async((resume) => {
    const caller = new AbortController()
    // Writes have no time limit: only their caller can interrupt them.
    const ended = inScope({ signal: caller.signal, limitMillis: null }, async () => await work()).then(
      (result) => resume(Effect.succeed(result)),
      (cause: unknown) => resume(cause instanceof TransactionAgain ? Effect.fail(cause) : failure(operation, cause)),
    )
    return Effect.promise(() => {
      caller.abort()
      return ended
    })
  })
}

function attempt<A>(
  operation: string,
  statement: () => Promise<A>,
  limitMillis: number | null = null,
): Effect.Effect<A, StoreFailed> {
  return Effect.tryPromise({
    try: (signal) => inScope({ signal, limitMillis }, statement),
    catch: (cause) => cause,
  }).pipe(Effect.catchAll((cause) => failure(operation, cause)))
}

/** The translation throws an internal error, which becomes a defect. */
const failure = (operation: string, cause: unknown): Effect.Effect<never, StoreFailed> =>
  Effect.suspend(() => Effect.fail(storeFailed(operation, cause)))
