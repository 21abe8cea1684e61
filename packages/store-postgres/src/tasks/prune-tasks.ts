import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'

/** Rows of one statement at most: on the embedded engine nobody else is served meanwhile. */
const batchSize = { pglite: 2000, pg: 10_000 } as const

/**
 * Removes the tasks that started before a time (RFC 3339), the oldest first, each batch in a transaction of its own, and returns how many. One that still runs stays:
 * its end is yet to be read. The change log says nothing of it: tasks are a log themselves.
 */
export const pruneTasks = Effect.fn('pruneTasks')(function* (
  database: Database['Type'],
  { before }: { readonly before: string },
): Effect.fn.Return<number, StoreFailed> {
  let removed = 0
  for (;;) {
    const { numAffectedRows } = yield* database.query('removing old tasks', (db) =>
      sql`delete from tasks where id in (
        select id from tasks where starttime < ${before}::timestamptz and outcome <> 'running'
        order by starttime limit ${batchSize[database.engine]}
      )`.execute(db),
    )
    const rows = Number(numAffectedRows ?? 0n)
    removed += rows
    if (rows < batchSize[database.engine]) return removed
  }
})
