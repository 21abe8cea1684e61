import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** When the sizes of a datastore were told last, for those that the last complete list lacked. */
export const migration: Migration = {
  async up(db) {
    await sql`alter table datastore_observations add column usage_own timestamptz`.execute(db)
  },
}
