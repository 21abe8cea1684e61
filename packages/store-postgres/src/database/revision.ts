import type { StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from './database.ts'

/**
 * Names what has been committed so far. It is the snapshot of PostgreSQL itself: which transactions a
 * reader sees, so that no writer has to count. The start of the server is part of it, because a server
 * that took over may give the number of a lost transaction to another one.
 */
export const revisionOf = (database: Database['Type']): Effect.Effect<string, StoreFailed> =>
  database.query('reading the revision', async (db) => {
    const { rows } = await sql<{ revision: string }>`
      select pg_current_snapshot()::text || ' ' || extract(epoch from pg_postmaster_start_time())::text as revision`.execute(
      db,
    )
    const [row] = rows
    if (row === undefined) throw new Error('the revision was not returned')
    return row.revision
  })
