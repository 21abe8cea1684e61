import type { StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'

/**
 * Removes tasks that started before a time (RFC 3339), the oldest first and at most `limit` in one
 * statement. Returns their number and whether there may be more. Running tasks stay, because their
 * end is not read yet; the change log does not record the removal.
 */
export const pruneTasks = (
  database: Database['Type'],
  { before, limit }: { readonly before: string; readonly limit: number },
): Effect.Effect<{ readonly removed: number; readonly more: boolean }, StoreFailed> =>
  database.query('removing old tasks', async (db) => {
    const { numAffectedRows } = await sql`
      delete from tasks where id in (
        select id from tasks where starttime < ${before}::timestamptz and outcome <> 'running'
        order by starttime, id limit ${limit}::bigint
      )`.execute(db)
    const removed = Number(numAffectedRows ?? 0n)
    return { removed, more: removed === limit }
  })
