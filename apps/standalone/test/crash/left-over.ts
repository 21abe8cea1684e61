import type { Asks } from './asks.ts'

const staging = [
  'servers',
  'datastores',
  'namespaces',
  'groups',
  'snapshots',
  'jobs',
  'observations',
  'digests',
  'sightings',
]

/** Each query finds what no crash may leave behind. */
const traces: Readonly<Record<string, string>> = {
  'runs that are open': `select id from runs where status in ('pending', 'running')`,
  'jobs of runs that are open': `select run_id, server_id from run_jobs where state <> 'ended'`,
  'jobs of the queue that are open': `select id from pgboss.job where name = 'sync' and state < 'completed'`,
  'change sets': 'select id from change_sets',
  'parts of change sets': 'select id from change_set_parts',
  'groups with wrong counters': `
    select g.id from groups g left join lateral (
      select count(*) as n, min(backup_time) filter (where finished) as first, max(backup_time) filter (where finished) as last,
        min(backup_time) filter (where not finished) as unfinished from snapshots s
      where (s.server_id, s.datastore_name, s.namespace, s.backup_type, s.backup_id) = (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id)
    ) s on true where (g.snapshot_count, g.first_backup, g.last_backup, g.unfinished_since) is distinct from (s.n, s.first, s.last, s.unfinished)`,
  'namespaces with wrong counters': `
    select n.id from namespaces n left join lateral (
      select count(*) as groups, coalesce(sum(snapshot_count), 0) as snapshots from groups g
      where (g.server_id, g.datastore_name, g.namespace) = (n.server_id, n.datastore_name, n.path)
    ) g on true where (n.group_count, n.snapshot_count) is distinct from (g.groups, g.snapshots)`,
  ...Object.fromEntries(staging.map((table) => [`staged ${table}`, `select part_id from staged_${table}`])),
}

const waiting = (presences: string): string => `
  select 'snapshot' as model, id from snapshots where presence not in (${presences})
  union all select 'group', id from groups where presence not in (${presences})`

/**
 * Left-over rows that the end of a run should have cleared, and wrong counters. `first`: rows that
 * the source has just lost may still be absent.
 */
export async function leftOver(asks: Asks, { first }: { readonly first: boolean }): Promise<ReadonlyArray<string>> {
  const found: Array<string> = []
  const rowsThatWait = waiting(first ? `'listed', 'absent'` : `'listed'`)
  for (const [trace, query] of Object.entries({ ...traces, 'rows that wait': rowsThatWait })) {
    const rows = await asks.sql(query)
    if (rows.length > 0) found.push(`${trace}: ${rows.length}, such as ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return found
}
