import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const key = 'server_id, datastore_name, namespace, backup_type, backup_id'

const counters = `
  add column not_verified_count bigint not null default 0,
  add column verification_failed_count bigint not null default 0,
  add column verification_erased_count bigint not null default 0,
  add column verifications jsonb not null default '{}'`

const statements = [
  `alter table snapshots add column verification_erased_at timestamptz`,
  `create index snapshots_erased on snapshots (${key}) where verification_erased_at is not null`,
  `alter table groups ${counters}`,
  `alter table branch_group_counts ${counters}`,
  `create function netbox_pbs_verification(state text, upid text, datastore text) returns text language sql immutable parallel safe as $$
    select case when state in ('', 'failed') then null
      when state <> 'ok' or split_part(upid, ':', 1) <> 'UPID' or split_part(upid, ':', 2) = '' or split_part(upid, ':', 8) = ''
        or split_part(upid, ':', 7) not in ('verify', 'verificationjob', 'verify_group', 'verify_snapshot') then ':unknown'
      when split_part(split_part(upid, ':', 8), '\x3a', 1) <> replace(datastore, '-', '\x2d') then ':elsewhere'
      else split_part(upid, ':', 2) || ':' || split_part(upid, ':', 6) end $$`,
  `create function netbox_pbs_verifications(text) returns jsonb language sql immutable parallel safe as $$
    select coalesce(jsonb_object_agg(v.node, jsonb_build_array(v.n, v.times)), '{}') from (
      select t.node, count(*) as n, coalesce(jsonb_agg(t.time order by t.time) filter (where t.time > 0), '[]') as times from (
        select case when p.part like ':%' then p.part else split_part(p.part, ':', 1) end as node,
          case when p.part ~ ':[0-9A-Fa-f]{1,8}$' then ('x' || lpad(split_part(p.part, ':', 2), 8, '0'))::bit(32)::bigint end as time
        from string_to_table($1, chr(10)) p (part)
      ) t group by t.node
    ) v $$`,
  `with counted as (
    select ${key}, count(*) filter (where verification_state = '') as none, count(*) filter (where verification_state = 'failed') as failed,
      netbox_pbs_verifications(string_agg(netbox_pbs_verification(verification_state, verification_upid, datastore_name), chr(10))) as verifications
    from snapshots where finished group by ${key}
  )
  update groups g set not_verified_count = c.none, verification_failed_count = c.failed, verifications = c.verifications from counted c
  where (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id) = (c.server_id, c.datastore_name, c.namespace, c.backup_type, c.backup_id)`,
  `update branch_group_counts set stale = true`,
]

/**
 * How the finished snapshots of a group are verified. `verifications` has by node, as the UPIDs name
 * it, how many were verified in this datastore and at which times, in seconds since 1970; and how
 * many `:elsewhere`, in another datastore, or in `:unknown` places. Which server a node belongs to
 * is found when a list is read, because nodes become known later.
 */
export const migration: Migration = {
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}
