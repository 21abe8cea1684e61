import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

// The rows of a set are main's that are missing in its scope: what is here is only what there is to
// say of them together. A set without them is no set.
const statements = [
  `create table held_sets (
    id bigint generated always as identity primary key,
    server_id bigint not null references servers on delete cascade,
    resource ${text} not null,
    datastore_name ${text} not null default '',
    namespace ${text} not null default '',
    job_type ${text} not null default '',
    state ${text} not null default 'waiting' check (state in ('waiting', 'confirmed', 'dismissed')),
    revision bigint not null default 1,
    reason ${text} not null,
    view ${text},
    kept boolean not null default false,
    since timestamptz not null,
    run_id bigint not null,
    decided_by ${text},
    decided_at timestamptz,
    decided_count bigint,
    unique (server_id, resource, datastore_name, namespace, job_type),
    check ((state = 'waiting') = (decided_at is null))
  )`,
  `create table held_set_runs (
    run_id bigint not null references runs on delete cascade,
    held_set_id bigint not null references held_sets on delete cascade,
    primary key (run_id, held_set_id)
  )`,
  'create index held_set_runs_set on held_set_runs (held_set_id)',
  // Few rows are missing, and they are asked for by their scope.
  `create index snapshots_missing on snapshots (server_id, datastore_name, namespace) where presence = 'missing'`,
  'alter table runs add column narrowing jsonb',
]

/** Held sets, the runs that held them, and runs that cover a part of their servers. */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
