import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Snapshots of main whose keys a branch gives to its own are kept with the counters of their
 * groups, so that a reader of the branch need not look for them. Groups that were counted without
 * are counted again.
 */
export const migration: Migration = {
  async up(db) {
    await sql`alter table branch_group_counts add column shadowed bigint[] not null default '{}'`.execute(db)
    await sql`create index branch_group_counts_shadowed on branch_group_counts (branch_id) where shadowed <> '{}'`.execute(
      db,
    )
    await sql`update branch_group_counts set moved = true`.execute(db)
  },
}
