import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The rows that have custom values, for filters that compare them in another way than as a whole: a
 * filter by a part of a text reads these rows, not the whole table.
 */
export const migration: Migration = {
  async up(db) {
    for (const table of ['groups', 'snapshots', 'tasks'])
      await sql.raw(`create index ${table}_with_values on ${table} (id) where custom_fields <> '{}'`).execute(db)
  },
}
