import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** How far the clock of a server is ahead of the gateway's. */
export const migration: Migration = {
  async up(db) {
    await sql`alter table server_observations add column clock_offset_seconds bigint`.execute(db)
  },
}
