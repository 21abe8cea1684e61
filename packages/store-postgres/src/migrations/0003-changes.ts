import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

// Neither objects nor runs are referenced: the log outlives both. The index by time is also what a retention reads.
const statements = [
  `create table changes (
    id bigint generated always as identity primary key,
    time timestamptz not null default now(),
    action ${text} not null check (action in ('create', 'update', 'delete')),
    model ${text} not null,
    object_id bigint,
    title ${text} not null,
    server_id bigint,
    run_id bigint,
    request_id uuid,
    user_name ${text} not null,
    before jsonb,
    after jsonb,
    counts jsonb,
    check ((run_id is null) <> (request_id is null))
  )`,
  'create index changes_time on changes (time, id)',
  'create index changes_object on changes (model, object_id)',
  'create index changes_run on changes (run_id) where run_id is not null',
  'create index changes_request on changes (request_id) where request_id is not null',
]

/** The change log. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
