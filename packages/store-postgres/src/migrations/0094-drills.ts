import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const statements = [
  // The name of the server is kept, so that the evidence outlives it.
  `create table drills (
    id bigint generated always as identity primary key,
    state ${text} not null check (state in ('proposed', 'confirmed', 'dismissed')),
    server_id bigint not null,
    server_name ${text} not null,
    datastore_name ${text} not null,
    namespace ${text} not null,
    backup_type ${text} not null,
    backup_id ${text} not null,
    backup_time timestamptz,
    started timestamptz not null,
    duration_seconds bigint,
    outcome ${text} not null check (outcome in ('ok', 'failed', 'unknown')),
    performed_by ${text} not null,
    note ${text} not null,
    upid ${text} not null default '',
    created timestamptz not null default now(),
    last_updated timestamptz not null default now()
  )`,
  `create unique index drills_task on drills (server_id, upid) where upid <> ''`,
  'create index drills_guest on drills (server_id, datastore_name, backup_type, backup_id, started desc)',
  'create index drills_started on drills (started desc, id)',
]

/** Restores: what was read back, by whom, and whether it worked. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
