import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * How long a server may be silent. The next sync of the servers brings what the gateway has for
 * each; 30 is its default.
 */
export const migration: Migration = {
  async up(db) {
    await sql`alter table servers add column timeout_seconds bigint not null default 30`.execute(db)
    await sql`alter table staged_servers add column timeout_seconds bigint`.execute(db)
    await sql`alter table branch_servers add column timeout_seconds bigint default 30`.execute(db)
  },
}
