import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'alter table detached_values add column times jsonb, add column row_created bigint',
  // The type and the id of a group, in the key that `detached_values` has of it.
  `create index detached_values_left on detached_values (server_id, (key ->> 2), (key ->> 3)) where times is not null`,
]

/**
 * By what a group that its source no longer lists is found elsewhere: its backup times, and when
 * main first had it, in microseconds since 1970. Of groups that went before, this is not known.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
