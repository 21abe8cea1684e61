import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const branches = `
create table branches (
  id bigint generated always as identity primary key,
  schema_id ${text} not null unique check (schema_id ~ '^[a-z0-9]{8}$'),
  name ${text} not null unique,
  kind ${text} not null check (kind in ('sync', 'operator', 'revert')),
  status ${text} not null default 'open',
  description ${text} not null default '',
  user_name ${text} not null default '',
  run_id bigint,
  checked timestamptz,
  created timestamptz not null default now(),
  last_updated timestamptz not null default now(),
  merged timestamptz,
  merged_by ${text} not null default ''
);
create unique index branches_run on branches (run_id) where run_id is not null;

create table branch_scopes (
  branch_id bigint not null references branches on delete cascade,
  scope_key ${text} not null,
  scope jsonb not null,
  run_id bigint not null,
  view ${text},
  held ${text},
  listed_at timestamptz not null,
  listed boolean not null,
  primary key (branch_id, scope_key)
);
create index branch_scopes_key on branch_scopes (scope_key);

create table branch_conflicts (
  id bigint generated always as identity primary key,
  branch_id bigint not null references branches on delete cascade,
  model ${text} not null,
  object_id bigint,
  scope_key ${text} not null,
  scope jsonb,
  title ${text} not null,
  kind ${text} not null,
  field ${text},
  base jsonb not null,
  main jsonb not null,
  branch jsonb not null,
  resolution jsonb,
  resolved_by ${text} not null default '',
  resolved_at timestamptz
);
create index branch_conflicts_branch on branch_conflicts (branch_id, id);`

/**
 * What branches change: a row of main's columns for each object, whole, with the names of the
 * touched fields and what these were in main when they were touched. Of a deletion the columns are
 * the row as it was. There is no foreign key to main: main may change as it likes.
 */
const overlay = (table: string, columns: string, key: string): string => `
create table branch_${table} (
  branch_id bigint not null references branches on delete cascade,
  id bigint not null,
  op ${text} not null check (op in ('create', 'update', 'delete')),
  touched text[] not null default '{}',
  base jsonb not null default '{}',
  ${columns},
  tags jsonb not null default '[]',
  custom_fields jsonb not null default '{}',
  primary key (branch_id, id)
);
create unique index branch_${table}_key on branch_${table} (branch_id, ${key}) where op <> 'delete';`

const groupKey = `server_id bigint not null, datastore_name ${text} not null, namespace ${text} not null, backup_type ${text} not null, backup_id ${text} not null`

const overlays = [
  overlay(
    'servers',
    `name ${text} not null, host ${text}, port bigint, token_id ${text}, fingerprint ${text}, verify_ssl boolean, version ${text},
  timezone ${text}, endpoint_id bigint, endpoint_state ${text}`,
    'name',
  ),
  overlay(
    'datastores',
    `server_id bigint not null, name ${text} not null, path ${text}, comment ${text}, maintenance ${text}, mount_status ${text}, backend_type ${text}`,
    'server_id, name',
  ),
  overlay(
    'namespaces',
    `server_id bigint not null, datastore_name ${text} not null, path ${text} not null`,
    'server_id, datastore_name, path',
  ),
  overlay(
    'groups',
    `${groupKey}, owner ${text}, comment ${text}`,
    'server_id, datastore_name, namespace, backup_type, backup_id',
  ),
  overlay(
    'snapshots',
    `${groupKey}, backup_time timestamptz not null, size_bytes bigint, owner ${text}, protected boolean, comment ${text}, verification_state ${text},
  verification_upid ${text}, crypt_mode ${text}, finished boolean, manifest_files jsonb, other_files jsonb`,
    'server_id, datastore_name, namespace, backup_type, backup_id, backup_time',
  ),
  overlay(
    'jobs',
    `server_id bigint not null, job_type ${text} not null, job_id ${text} not null, store ${text}, namespace ${text}, remote ${text},
  schedule ${text}, comment ${text}, disable boolean, options jsonb`,
    'server_id, job_type, job_id',
  ),
]

/** Branches, what they change, and what of it is in conflict with main. */
export const migration: Migration = {
  async up(db) {
    for (const part of [branches, ...overlays]) {
      for (const statement of part.split(/;\n|;$/)) {
        if (statement.trim() !== '') await sql.raw(statement).execute(db)
      }
    }
  },
}
