import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const statements = [
  `create table scope_counts (
  server_id bigint not null references servers on delete cascade,
  datastore_name ${text} not null,
  namespace ${text} not null,
  backup_type ${text} not null,
  groups bigint not null,
  snapshots bigint not null,
  primary key (server_id, datastore_name, namespace, backup_type)
) with (fillfactor = 50)`,
  `insert into scope_counts
  select server_id, datastore_name, namespace, backup_type, count(*), sum(snapshot_count) from groups group by 1, 2, 3, 4`,
]

/**
 * The groups and snapshots of each namespace by backup type: the beginnings of their keys. A list
 * that walks them need not walk all groups. Every landing writes them in place, so half of each
 * page is left free.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
