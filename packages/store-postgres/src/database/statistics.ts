import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'

/** The tables of main and all other kept data, or the tables of branch changes. */
export type AnalyzedTables = 'main' | 'branches'

/** A table of fewer pages is read at once, whatever the planner believes of it: about a thousand snapshots. */
const leastPages = 32

/** How much larger a table is than when it was last analyzed, before it is worth analyzing again. */
const growth = 1.5

const operation = 'collecting statistics of a table'

/**
 * Analyzes the tables that have grown by half since they were last analyzed, and to at least 32
 * pages, so that they are read by plans for what they hold. To be called after the commit of a
 * write that may be large, never inside a transaction: an analysis lasts as long as a sample of the
 * table takes to read, and keeps no reader and no writer waiting. PostgreSQL's autovacuum does the
 * same, but for a branch it comes too late: people look into it as soon as it is filled. The tables
 * of main are left to it. PGlite has none. A table that cannot be analyzed now is analyzed later:
 * the write has happened, so nothing fails.
 */
export function analyzeGrown(database: Database['Type'], tables: AnalyzedTables): Effect.Effect<void> {
  if (tables === 'main' && database.engine === 'pg') return Effect.void
  const grown = sql`pg_relation_size(c.oid) / current_setting('block_size')::bigint >= greatest(${leastPages}::bigint, ${growth}::float8 * c.relpages)`
  return analyzeThose(database, sql`${isOf(tables)} and ${grown}`).pipe(
    Effect.catchAll((error) => Effect.logWarning('statistics could not be collected', error.message)),
  )
}

/**
 * Analyzes all tables that the database does not analyze in time: those of branch changes, and on
 * PGlite all others.
 */
export const analyzeAll = (database: Database['Type']): Effect.Effect<void, StoreFailed> =>
  analyzeThose(database, database.engine === 'pg' ? isOf('branches') : sql`true`)

const isOf = (tables: AnalyzedTables): RawBuilder<unknown> =>
  tables === 'branches' ? sql`c.relname like 'branch\\_%'` : sql`c.relname not like 'branch\\_%'`

/**
 * One statement per table, so that PGlite serves others in between. A table that another session is
 * analyzing is skipped. Staging tables are unlogged and empty most of the time.
 */
function analyzeThose(database: Database['Type'], which: RawBuilder<unknown>): Effect.Effect<void, StoreFailed> {
  return database.query(operation, async (db) => {
    const { rows } = await sql<{ name: string }>`
      select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and ${which} order by 1`.execute(
      db,
    )
    // The catalog has quoted the name.
    for (const { name } of rows) await sql`analyze (skip_locked) ${sql.raw(name)}`.execute(db)
  })
}
