import { type Driver, executed } from '../ingest/store.ts'

/** Servers of the fleet; each has the same share of its snapshots. */
export const servers = 10
const snapshotsPerGroup = 20
const groupsPerNamespace = 500

/** The name of a server by its place. They sort by it, so that the first one's rows are the head of every list. */
export const serverName = (place: number): string => `pbs-${String(place).padStart(2, '0')}`

const scopeKey = `server_id, datastore_name, namespace, backup_type`
const groupKey = `${scopeKey}, backup_id`

/**
 * Fills an empty main with snapshots as a fleet of ten servers has them: twenty a group, five
 * hundred groups a namespace, every tenth unverified. Groups, counters and scopes are those that
 * landings would have left.
 */
export async function fillMain(driver: Driver, snapshots: number): Promise<void> {
  const groups = Math.ceil(snapshots / snapshotsPerGroup)
  const statements = [
    `insert into servers (name, host, token_id, version, timezone, presence)
      select 'pbs-' || lpad(i::text, 2, '0'), '192.0.2.' || i, 'sync@pbs!netbox', '4.1.2', 'UTC', 'listed' from generate_series(0, ${servers - 1}) i`,
    `insert into datastores (server_id, name, path, presence) select id, 'tank', '/mnt/tank', 'listed' from servers`,
    `create temporary table filling on commit preserve rows as
      select i as nth, v.id as server_id, 'ns-' || lpad((i / ${servers} / ${groupsPerNamespace})::text, 5, '0') as namespace, (100 + i / ${servers})::text as backup_id
      from generate_series(0, ${groups - 1}) i join servers v on v.name = 'pbs-' || lpad((i % ${servers})::text, 2, '0')`,
    `insert into snapshots (${groupKey}, backup_time, size_bytes, owner, comment, verification_state, crypt_mode, manifest_files, presence)
      select g.server_id, 'tank', g.namespace, 'vm', g.backup_id, timestamptz '2026-01-01T02:00:00Z' + s * interval '1 day' + g.nth * interval '1 millisecond',
        10000000000 + g.nth, 'sync@pbs!netbox', 'guest-' || g.backup_id, case when s % 10 = 0 then '' else 'ok' end, 'none',
        '[{"filename": "drive-scsi0.img.fidx", "size": 10000000000, "crypt_mode": "none"}]', 'listed'
      from filling g cross join generate_series(0, ${snapshotsPerGroup - 1}) s where g.nth::bigint * ${snapshotsPerGroup} + s < ${snapshots}
      order by g.server_id, g.namespace, g.backup_id, s`,
    `insert into groups (${groupKey}, owner, comment, snapshot_count, first_backup, last_backup, total_size, newest_verification, variants, texts, presence)
      select ${groupKey}, 'sync@pbs!netbox', min(comment), sum(n), min(first), max(last), sum(size)::bigint, max(verification_state),
        jsonb_agg(jsonb_build_array(owner, protected, verification_state, crypt_mode, finished, comment, n) order by verification_state),
        backup_id || chr(10) || min(owner) || chr(10) || min(comment), 'listed'
      from (
        select ${groupKey}, owner, protected, verification_state, crypt_mode, finished, comment, count(*) as n, min(backup_time) as first, max(backup_time) as last, sum(size_bytes) as size
        from snapshots group by ${groupKey}, owner, protected, verification_state, crypt_mode, finished, comment
      ) x group by ${groupKey}`,
    `insert into scope_counts (${scopeKey}, groups, snapshots, variants)
      select ${scopeKey}, groups, snapshots, variants
      from (select ${scopeKey}, count(*) as groups, sum(snapshot_count)::bigint as snapshots from groups group by ${scopeKey}) c
      join (
        select ${scopeKey}, jsonb_agg(jsonb_build_array(owner, protected, verification_state, crypt_mode, finished, null, n) order by verification_state) as variants
        from (
          select ${scopeKey}, owner, protected, verification_state, crypt_mode, finished, count(*) as n
          from snapshots group by ${scopeKey}, owner, protected, verification_state, crypt_mode, finished
        ) x group by ${scopeKey}
      ) v using (${scopeKey})`,
    `insert into namespaces (server_id, datastore_name, path, group_count, snapshot_count, presence)
      select server_id, datastore_name, namespace, count(*), sum(snapshot_count)::bigint, 'listed' from groups group by server_id, datastore_name, namespace`,
    `insert into scopes (server_id, resource, datastore_name, namespace, visibility, last_complete_at, registry_version)
      select server_id, 'snapshots', datastore_name, path, 'all', timestamptz '2026-06-01T00:00:00Z', 2 from namespaces`,
    'drop table filling',
    'analyze',
  ]
  await executed(driver, ...statements)
}

/**
 * The yardstick of opening a branch: seconds of a full copy of the snapshots with their keys and
 * indexes, as a branch by schema makes it.
 */
export async function secondsOfFullCopy(driver: Driver): Promise<number> {
  const begun = performance.now()
  await executed(
    driver,
    'create table copied (like snapshots including all)',
    'insert into copied overriding system value select (s).* from (select s from snapshots s) s',
  )
  const seconds = (performance.now() - begun) / 1000
  await executed(driver, 'drop table copied')
  return seconds
}
