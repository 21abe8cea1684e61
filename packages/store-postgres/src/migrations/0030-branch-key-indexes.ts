import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const group = 'server_id, datastore_name, namespace, backup_type'

/** Each begins with what a list filters or orders by, and goes on with the rest of the key. */
const indexes = {
  branch_snapshots_backup_id: `branch_snapshots (branch_id, backup_id, ${group}, backup_time)`,
  branch_snapshots_backup_time: `branch_snapshots (branch_id, backup_time, backup_id, ${group})`,
  branch_groups_backup_id: `branch_groups (branch_id, backup_id, ${group})`,
}

/**
 * A snapshot of a branch is looked up by its whole key, and the planner may take for that any index
 * that has one column of it: it believes that each finds one row. Servers that copy each other's
 * backups have the same ids, and jobs that start together the same times, so such an index found a
 * row for each of them. Now any of these finds just the one.
 */
export const migration: Migration = {
  async up(db) {
    for (const [name, of] of Object.entries(indexes)) {
      await sql`drop index ${sql.table(name)}`.execute(db)
      await sql`create index ${sql.id(name)} on ${sql.raw(of)}`.execute(db)
    }
  },
}
