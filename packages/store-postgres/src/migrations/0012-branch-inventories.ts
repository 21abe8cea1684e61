import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const text = 'text collate "C"'

const branches = `
alter table branches
  add column revision bigint not null default 0,
  add column review boolean not null default false,
  add column reverts bigint,
  add column approved_by ${text} not null default '',
  add column approved_at timestamptz,
  add column approved_revision bigint;
alter table scopes add column review boolean not null default false;
create index scopes_review on scopes (server_id) where review;`

const models = ['servers', 'datastores', 'namespaces', 'groups', 'snapshots', 'jobs']

/**
 * What a row of a branch needs to be read as a row of main is. `outcome`: what the merge did to the
 * object, where that is not what the entry says. The registry version is that under which `touched`
 * and `base` were named. `seen_version` is the `xmin` that main's row had when its values became
 * the entry's base. The index tells which fields a branch touches at all without reading what it
 * touches.
 */
const entry = (table: string): string => `
alter table branch_${table}
  add column presence ${text} not null default 'listed' check (presence in ('listed', 'manual', 'missing')),
  add column last_seen_own timestamptz,
  add column observation jsonb,
  add column outcome jsonb,
  add column registry_version bigint not null default 2,
  add column seen_version xid,
  add column created timestamptz not null default now(),
  add column last_updated timestamptz not null default now();
create index branch_${table}_touches on branch_${table} (branch_id, op, touched);`

/** Of a deleted server the highest id of each model below it when it was deleted: rows with a higher one came later. */
const servers = `
alter table branch_servers
  add column sync_schedule ${text} not null default '',
  add column sync_interval_minutes bigint,
  add column below jsonb;`

/**
 * Groups of which a branch changes any snapshot, as they are in it. `moved`: main's snapshots of
 * the group have changed since it was counted, so the next reader counts it again. `gone`: its
 * snapshots that the branch changes and main has lost. A branch is not referenced, for a writer of
 * main that adds a group here would wait for whoever has locked the branch, and may itself be
 * waited for.
 */
const groups = `
create table branch_group_counts (
  branch_id bigint not null,
  server_id bigint not null,
  datastore_name ${text} not null,
  namespace ${text} not null,
  backup_type ${text} not null,
  backup_id ${text} not null,
  snapshot_count bigint not null,
  first_backup timestamptz,
  last_backup timestamptz,
  total_size bigint,
  newest_verification ${text} not null default '',
  gone bigint[] not null default '{}',
  moved boolean not null default false,
  primary key (branch_id, server_id, datastore_name, namespace, backup_type, backup_id)
);
create index branch_group_counts_group on branch_group_counts (server_id, datastore_name, namespace, backup_type, backup_id);
create index branch_group_counts_moved on branch_group_counts (branch_id) where moved;
create index branch_group_counts_gone on branch_group_counts (branch_id) where gone <> '{}';`

/** The orders and filters of main's lists, for what lies in a branch. */
const lists = `
create index branch_snapshots_backup_time on branch_snapshots (branch_id, backup_time);
create index branch_snapshots_backup_id on branch_snapshots (branch_id, backup_id);
create index branch_groups_backup_id on branch_groups (branch_id, backup_id);`

/**
 * An update that leaves the key alone says nothing of it: main may give the key to another row, and
 * the branch make one of the same key. So keys are held apart by those who write a branch, under
 * its lock.
 */
const key = (table: string): string => `
drop index branch_${table}_key;
create index branch_${table}_key on branch_${table} (branch_id, ${keys[table]}) where op <> 'delete';`

const groupKey = 'server_id, datastore_name, namespace, backup_type, backup_id'
const keys: Readonly<Record<string, string>> = {
  servers: 'name',
  datastores: 'server_id, name',
  namespaces: 'server_id, datastore_name, path',
  groups: groupKey,
  snapshots: `${groupKey}, backup_time`,
  jobs: 'server_id, job_type, job_id',
}

/** Branches that are read and written like main, approved and undone. */
export const migration: Migration = {
  async up(db) {
    for (const part of [branches, ...models.map(entry), servers, groups, lists, ...models.map(key)]) {
      for (const statement of part.split(/;\n|;$/)) {
        if (statement.trim() !== '') await sql.raw(statement).execute(db)
      }
    }
  },
}
