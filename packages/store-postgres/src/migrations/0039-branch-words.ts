import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table branch_group_counts rename column gone to removed',
  'alter index branch_group_counts_gone rename to branch_group_counts_removed',
  'alter table branch_servers rename column below to children',
]

/** Snapshots that main has removed, and the children of a deleted server, have the names that the code gives them. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
