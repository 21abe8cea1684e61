import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const statements = [
  'drop index detached_values_left',
  // The type and the id of a group, in the key that `detached_values` has of it and of its snapshots.
  `create index detached_values_group on detached_values (server_id, (key ->> 2) collate "C", (key ->> 3) collate "C") where model in ('group', 'snapshot')`,
]

/** Finds what is kept of a group and of its snapshots, whether its source still lists it or not. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
