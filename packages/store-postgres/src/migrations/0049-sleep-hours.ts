import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The hours of the week in which a server is down on purpose; empty: none. */
export const migration: Migration = {
  async up(db) {
    await sql`alter table servers add column sleep_hours text collate "C" not null default ''`.execute(db)
    await sql`alter table branch_servers add column sleep_hours text collate "C" not null default ''`.execute(db)
  },
}
