import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const branched = ['servers', 'datastores', 'namespaces', 'groups', 'snapshots', 'jobs']

/** What a user says about a change: in the log, and in an entry of a branch until the merge logs it. */
export const migration: Migration = {
  async up(db) {
    for (const table of ['changes', ...branched.map((name) => `branch_${name}`)])
      await sql`alter table ${sql.table(table)} add column message text collate "C" not null default ''`.execute(db)
  },
}
