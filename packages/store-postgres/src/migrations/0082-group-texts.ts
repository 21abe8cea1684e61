import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { foldingCollation } from '../tables/folding.ts'

const folded = (text: string) => `chr(10) || netbox_pbs_folded((${text}) collate "C")`

const filling = `
  with t as (
    select g.id, netbox_pbs_folded(g.backup_id) || string_agg(distinct ${folded('v.value ->> 0')}, '')
      || string_agg(distinct ${folded('v.value ->> 5')}, '') as texts
    from groups g cross join lateral jsonb_array_elements(g.variants) v group by g.id, g.backup_id
  )
  update groups g set texts = t.texts from t where t.id = g.id`

/**
 * The backup id of a group with snapshots, and the owners and comments of these, in one column
 * without case, so that a search need not look at snapshots. The column has a trigram index where
 * the extension can be had; without one a search reads the column of all groups.
 */
export const migration: Migration = {
  async up(db) {
    const folding = await foldingCollation(db)
    const text = folding === null ? '$1' : `$1 collate "${folding}"`
    const statements = [
      `create function netbox_pbs_folded(text) returns text language sql immutable parallel safe as 'select lower(${text})'`,
      `alter table groups add column texts text collate "C" not null default ''`,
      filling,
    ]
    for (const statement of statements) await sql.raw(statement).execute(db)
    await indexTrigrams(db)
  },
}

/**
 * What PostgreSQL answers where the extension is not installed (undefined file, not supported), may
 * not be created (privilege), or lies in a schema that is not searched (undefined object).
 */
const refusals: ReadonlySet<unknown> = new Set(['58P01', '0A000', '42501', '42704'])

async function indexTrigrams(db: Parameters<Migration['up']>[0]): Promise<void> {
  await sql`savepoint trigrams`.execute(db)
  try {
    await sql`create extension if not exists pg_trgm`.execute(db)
    await sql`create index groups_texts on groups using gin (texts gin_trgm_ops)`.execute(db)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && refusals.has(cause.code))) throw cause
    await sql`rollback to savepoint trigrams`.execute(db)
  }
  await sql`release savepoint trigrams`.execute(db)
}
