import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'

/** The tables of main and all other kept data, or the tables of branch changes. */
export type AnalyzedTables = 'main' | 'branches'

/** Smaller tables are read at once under every plan; this is about a thousand snapshots. */
const leastPages = 32

/** How much larger a table is than when it was last analyzed, before it is worth analyzing again. */
const growth = 1.5

const operation = 'collecting statistics of a table'

/**
 * Analyzes the tables that have grown by half since their last analysis, and to at least 32 pages, so
 * that the planner knows their size. Call it after the commit of a write that may be large: an
 * analysis blocks no reader or writer, but takes as long as it reads a sample.
 *
 * PostgreSQL's autovacuum does the same for main's tables, but comes too late for a branch, which
 * users open as soon as it is filled; PGlite has none. A failed analysis is repeated later and is no
 * failure of the write.
 */
export function analyzeGrown(database: Database['Type'], tables: AnalyzedTables): Effect.Effect<void> {
  if (tables === 'main' && database.engine === 'pg') return Effect.void
  const grown = sql`pg_relation_size(c.oid) / current_setting('block_size')::bigint >= greatest(${leastPages}::bigint, ${growth}::float8 * c.relpages)`
  return Effect.gen(function* () {
    const written = database.engine === 'pg' ? null : yield* writtenSince(database, tables)
    if (written?.isLittle === true) return
    yield* analyzeThose(database, sql`${isOf(tables)} and ${grown}`)
    if (written !== null) lookedAt.set(database, { ...lookedAt.get(database), [tables]: written.position })
  }).pipe(Effect.catchAll((error) => Effect.logWarning('statistics could not be collected', error.message)))
}

/** How far the write-ahead log had come at the last look at the sizes of all tables. */
const lookedAt = new WeakMap<Database['Type'], Partial<Record<AnalyzedTables, string>>>()

/**
 * What was written since then. On the embedded engine a look takes milliseconds, as it asks for the
 * size of each file, and no table grows by more than what its log has.
 */
function writtenSince(
  database: Database['Type'],
  tables: AnalyzedTables,
): Effect.Effect<{ readonly position: string; readonly isLittle: boolean }, StoreFailed> {
  const before = lookedAt.get(database)?.[tables] ?? '0/0'
  return database.query(operation, async (db) => {
    const { rows } = await sql<{ position: string; pages: number }>`
      select p::text as position, (pg_wal_lsn_diff(p, ${before}::pg_lsn) / current_setting('block_size')::bigint)::float8 as pages
      from pg_current_wal_insert_lsn() p`.execute(db)
    const { position = before, pages = leastPages } = rows[0] ?? {}
    return { position, isLittle: pages < leastPages }
  })
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
 * One statement per table, so that PGlite serves others in between; tables that another session is
 * analyzing are skipped. Staging tables are left out: they are unlogged and empty most of the time.
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
