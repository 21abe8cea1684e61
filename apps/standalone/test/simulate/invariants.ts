import type { Asks } from '../crash/asks.ts'
import { canonical, type StoredRow, storedRows } from '../crash/stored-inventory.ts'
import { keyOf, type Model, models, type Row, stateName } from './fleet-history.ts'

/** Main as the judge sees it between two steps, by key. */
export type Main = ReadonlyMap<string, StoredRow & { readonly model: Model }>

export async function readMain(asks: Asks): Promise<Main> {
  const main = new Map<string, StoredRow & { readonly model: Model }>()
  for (const model of models)
    for (const row of await storedRows(asks, model)) {
      const facts = { ...row.facts, server: stateName(String(row.facts['server'])) }
      main.set(keyOf(model, facts), { ...row, model, facts })
    }
  return main
}

/** Each query finds what must never be, between any two steps; each row of it is a fault. */
const never: Readonly<Record<string, string>> = {
  'a group whose counters are not those of its snapshots': `
    select g.id, g.datastore_name, g.namespace, g.backup_type, g.backup_id, g.snapshot_count, s.n from groups g left join lateral (
      select count(*) as n, min(backup_time) filter (where finished) as first, max(backup_time) filter (where finished) as last,
        min(backup_time) filter (where not finished) as unfinished, sum(size_bytes) as size,
        count(*) filter (where presence = 'manual') as manual, count(*) filter (where presence = 'missing') as missing,
        coalesce((array_agg(verification_state order by backup_time desc) filter (where finished))[1], '') as verification
      from snapshots s
      where (s.server_id, s.datastore_name, s.namespace, s.backup_type, s.backup_id) = (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id)
    ) s on true
    where (g.snapshot_count, g.first_backup, g.last_backup, g.unfinished_since, g.manual_count, g.missing_count, g.total_size::numeric, g.newest_verification)
      is distinct from (s.n, s.first, s.last, s.unfinished, s.manual, s.missing, s.size, s.verification)`,
  'a namespace whose counters are not those of its groups': `
    select n.id, n.path, n.group_count, n.snapshot_count, g.groups, g.snapshots from namespaces n left join lateral (
      select count(*) as groups, coalesce(sum(snapshot_count), 0) as snapshots from groups g
      where (g.server_id, g.datastore_name, g.namespace) = (n.server_id, n.datastore_name, n.path)
    ) g on true where (n.group_count, n.snapshot_count) is distinct from (g.groups, g.snapshots)`,
  'a snapshot without a group': `
    select s.id from snapshots s where not exists (select from groups g
      where (s.server_id, s.datastore_name, s.namespace, s.backup_type, s.backup_id) = (g.server_id, g.datastore_name, g.namespace, g.backup_type, g.backup_id))`,
  'a group that a source listed, without its namespace': `
    select g.id from groups g where g.presence <> 'manual' and not exists (select from namespaces n
      where (g.server_id, g.datastore_name, g.namespace) = (n.server_id, n.datastore_name, n.path))`,
  'a row that is missing without a time, or listed with one': `
    select model, id, presence, missing_since from (
      select 'snapshot' as model, id, presence, missing_since from snapshots
      union all select 'group', id, presence, missing_since from groups
      union all select 'namespace', id, presence, missing_since from namespaces
      union all select 'datastore', id, presence, missing_since from datastores
      union all select 'job', id, presence, missing_since from jobs
    ) r where (presence in ('missing', 'absent')) <> (missing_since is not null)`,
  'a run that is completed although a scope of it failed': `
    select r.id, s.scope, s.outcome from runs r join run_scopes s on s.run_id = r.id
    where r.status = 'completed' and s.outcome in ('failed', 'held_back', 'cancelled')`,
  'a run that has ended before its jobs': `
    select r.id, r.status, j.server_id, j.state from runs r join run_jobs j on j.run_id = r.id
    where r.status in ('completed', 'incomplete', 'failed') and j.state <> 'ended'`,
  'a job of the queue that two workers have': `
    select singleton_key, count(*) from pgboss.job where name = 'sync' and state = 'active' group by singleton_key having count(*) > 1`,
}

/** Faults that can be seen in main alone. */
export async function faultsOfMain(asks: Asks): Promise<ReadonlyArray<string>> {
  const found: Array<string> = []
  for (const [fault, query] of Object.entries(never)) {
    const rows = await asks.sql(query)
    if (rows.length > 0) found.push(`${fault}: ${rows.length}, such as ${JSON.stringify(rows[0])}`)
  }
  return found
}

/** Fields that follow from other rows, which `never` recounts. */
const derived = new Set(['snapshot_count', 'first_backup', 'last_backup', 'unfinished_since'])

/** The first field in which a row differs from all rows that it may be, with the values. */
export function differenceOf(row: Row, allowed: ReadonlyArray<Row>, edits: Row): string | null {
  for (const [field, value] of Object.entries(row)) {
    if (derived.has(field)) continue
    const text = canonical(value)
    if (allowed.some((one) => canonical(one[field]) === text)) continue
    if (Object.hasOwn(edits, field) && (edits[field] as ReadonlyArray<unknown>).some((one) => canonical(one) === text))
      continue
    return `${field} is ${text}, and was ${[...new Set(allowed.map((one) => canonical(one[field])))].join(' or ')}`
  }
  return null
}
