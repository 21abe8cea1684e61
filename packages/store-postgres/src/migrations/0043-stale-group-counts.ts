import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table branch_group_counts rename column moved to stale',
  'alter index branch_group_counts_moved rename to branch_group_counts_stale',
]

/** A branch's counters of a group whose snapshots main has changed have the name that the code gives them. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
