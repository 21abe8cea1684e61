import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a test says of a token that may do more than an inventory needs. */
export const migration: Migration = {
  async up(db) {
    await sql`alter table server_observations add column token_warning text collate "C" not null default ''`.execute(db)
  },
}
