import { StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Data, Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { isLockTimeout } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'

/** How long a statement may take, and wait for a lock, on PostgreSQL, in seconds. */
export interface PieceLimits {
  readonly statement: number
  readonly lock: number
}

/** A piece is small: a statement that takes longer waits for something. */
export const pieceLimits: PieceLimits = { statement: 60, lock: 30 }

/** A statement reached its limit, so that nothing is known of its piece. */
export class PieceStopped extends Data.TaggedError('PieceStopped')<{
  readonly operation: string
  readonly limit: keyof PieceLimits
  readonly seconds: number
}> {
  override get message(): string {
    const what = { statement: 'a statement took', lock: 'it waited for another writer' }[this.limit]
    return `${this.operation}: ${what} longer than ${this.seconds} seconds and was stopped; run the command again when fewer syncs, merges and requests are under way`
  }
}

/** Sets the limits for the present transaction; call it before its first query. */
export async function limitPiece(db: Kysely<Tables>, { statement, lock }: PieceLimits): Promise<void> {
  await sql`set local statement_timeout = ${sql.lit(`${statement}s`)}`.execute(db)
  await sql`set local lock_timeout = ${sql.lit(`${lock}s`)}`.execute(db)
}

/** Tells which limit stopped the work, where one did. */
export const withinLimits =
  (operation: string, limits: PieceLimits) =>
  <A, E, R>(work: Effect.Effect<A, E | StoreFailed, R>): Effect.Effect<A, E | StoreFailed | PieceStopped, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (began) =>
      Effect.catchAll(work, (failed) =>
        Effect.flatMap(Clock.currentTimeMillis, (ended) => {
          const limit = failed instanceof StoreFailed ? reached(failed, ended - began, limits) : null
          return Effect.fail(limit === null ? failed : new PieceStopped({ operation, limit, seconds: limits[limit] }))
        }),
      ),
    )

function reached({ reason, cause }: StoreFailed, millis: number, { statement }: PieceLimits): keyof PieceLimits | null {
  if (isLockTimeout(cause)) return 'lock'
  // An administrator may stop it as well, and sooner.
  return reason === 'stopped' && millis >= statement * 1000 ? 'statement' : null
}
