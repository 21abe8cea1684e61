import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Reviewers' decisions against single values of a source: by field, the value decided against.
 * Null: there is none, which costs a row nothing.
 */
export const migration: Migration = {
  async up(db) {
    for (const table of ['servers', 'datastores', 'namespaces', 'groups', 'snapshots', 'jobs', 'tasks']) {
      await sql`alter table ${sql.table(table)} add column pins jsonb`.execute(db)
    }
  },
}
