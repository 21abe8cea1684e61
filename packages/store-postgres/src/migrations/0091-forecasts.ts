import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The numbers of the last garbage collection of each datastore, and whether it will be full, by the
 * growth of its last 30 days. Known from the next list of the datastores of its server on.
 */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(
        `alter table datastore_observations
          add column gc_index_bytes bigint,
          add column gc_disk_bytes bigint,
          add column gc_removed_bytes bigint,
          add column gc_pending_bytes bigint,
          add column gc_bad_chunks bigint,
          add column last_gc_at timestamptz,
          add column last_gc_end timestamptz,
          add column forecast text collate "C" not null default 'unknown',
          add column growth_per_day bigint,
          add column full_at timestamptz,
          add column full_soonest_at timestamptz,
          add column full_latest_at timestamptz`,
      )
      .execute(db)
  },
}
