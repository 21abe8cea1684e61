import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table held_sets rename to held_deletions',
  'alter table held_set_runs rename to held_deletions_runs',
  'alter table held_deletions_runs rename column held_set_id to held_deletions_id',
  'alter index held_set_runs_set rename to held_deletions_runs_held',
  `update changes set model = 'held_deletions' where model = 'held_set'`,
]

/** What was called a held set is the held deletions of a scope. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
