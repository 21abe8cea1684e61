import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

/**
 * The built-in collation of PostgreSQL 17, ICU's root, and the old names of UTF-8 without a
 * language: the best first.
 */
const candidates = ['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'en_US.utf8']

/**
 * A collation under which case is ignored for all letters, not only those of ASCII; null: the
 * server has none, and the database's own must do.
 */
export async function foldingCollation(db: Kysely<Tables>): Promise<string | null> {
  const { rows } = await sql<{ collname: string }>`
    select collname from pg_collation
    where collname = any(${candidates}::text[]) and collencoding in (-1, pg_char_to_encoding('UTF8'))
    order by array_position(${candidates}::text[], collname::text) limit 1`.execute(db)
  return rows[0]?.collname ?? null
}

/** The same, asked for once: when the first search needs it. */
export const foldingOf = (database: Database['Type']): Effect.Effect<Effect.Effect<string | null, StoreFailed>> =>
  Effect.cached(database.query('reading the collations', foldingCollation))
