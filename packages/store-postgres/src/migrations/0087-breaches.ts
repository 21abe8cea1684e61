import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const statements = [
  `create table breaches (
    id bigint generated always as identity primary key,
    group_id bigint not null,
    server_id bigint not null,
    server_name ${text} not null,
    datastore_name ${text} not null,
    namespace ${text} not null,
    backup_type ${text} not null,
    backup_id ${text} not null,
    objective bigint not null,
    began timestamptz not null,
    ended timestamptz,
    check (ended is null or ended >= began)
  )`,
  'create unique index breaches_open on breaches (group_id) where ended is null',
  'create index breaches_group on breaches (group_id, began)',
  'create index breaches_began on breaches (began, id)',
]

/** The times in which groups had no backup young enough. They outlive the groups and their servers. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
