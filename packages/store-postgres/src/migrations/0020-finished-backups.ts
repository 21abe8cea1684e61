import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * An unfinished snapshot is no backup: the groups that hold one are counted again, and say since
 * when they do. Groups of branches are counted by their next reader.
 */
export const migration: Migration = {
  async up(db) {
    await sql`alter table groups add column unfinished_since timestamptz`.execute(db)
    await sql`alter table branch_group_counts add column unfinished_since timestamptz`.execute(db)
    await sql`
      with unfinished as (
        select distinct server_id, datastore_name, namespace, backup_type, backup_id from snapshots where not finished
      ), counted as (
        select server_id, datastore_name, namespace, backup_type, backup_id,
          min(s.backup_time) filter (where s.finished) as first_backup, max(s.backup_time) filter (where s.finished) as last_backup,
          min(s.backup_time) filter (where not s.finished) as unfinished_since,
          (array_agg(s.verification_state order by s.backup_time desc) filter (where s.finished))[1] as newest_verification
        from snapshots s join unfinished u using (server_id, datastore_name, namespace, backup_type, backup_id)
        group by server_id, datastore_name, namespace, backup_type, backup_id
      )
      update groups g
      set first_backup = c.first_backup, last_backup = c.last_backup, unfinished_since = c.unfinished_since,
        newest_verification = coalesce(c.newest_verification, '')
      from counted c
      where (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id)
        = (c.server_id, c.datastore_name, c.namespace, c.backup_type, c.backup_id)`.execute(db)
    await sql`update branch_group_counts set moved = true`.execute(db)
  },
}
