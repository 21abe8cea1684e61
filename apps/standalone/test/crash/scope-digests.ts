import type { Asks } from './asks.ts'

/** One digest per scope of all that main says of it; a scope of which it says nothing has none. */
export type ScopeDigests = ReadonlyMap<string, string>

/** Fields that differ between two histories of the same inventory: ids and times of writing. */
const volatile = `'{id,created,last_updated,last_seen_own,digest_cleared_by}'::text[]`
const facts = (alias: string): string => `(to_jsonb(${alias}) - ${volatile})::text`
const all = (text: string): string => `md5(string_agg(${text}, '' order by ${text}))`

/**
 * Facts, presence and observations of a scope's rows; of a namespace's snapshots also their groups
 * with counters and digests, and the namespace's own counters: they change with the landing or not
 * at all.
 */
const statement = `
with observed_stores as (
  select d.server_id, ${facts('d')} || coalesce((to_jsonb(o) - 'datastore_id')::text, '') as row
  from datastores d left join datastore_observations o on o.server_id = d.server_id and o.datastore_id = d.id
), observed_jobs as (
  select j.server_id, j.job_type, ${facts('j')} || coalesce((to_jsonb(o) - 'job_id')::text, '') as row
  from jobs j left join job_observations o on o.server_id = j.server_id and o.job_id = j.id
), inside as (
  select server_id, datastore_name, namespace, md5(${facts('s')}) as row from snapshots s
  union all select server_id, datastore_name, namespace, md5(${facts('g')}) from groups g
  union all select server_id, datastore_name, path, format('%s groups, %s snapshots', group_count, snapshot_count) from namespaces
  where group_count > 0 or snapshot_count > 0
)
select 'servers' as scope, ${all(facts('v'))} as digest from servers v
union all select format('datastores of %s', server_id), ${all('row')} from observed_stores group by server_id
union all select format('jobs %s of %s', job_type, server_id), ${all('row')} from observed_jobs group by server_id, job_type
union all select format('namespaces of %s/%s', server_id, datastore_name), ${all(`path || ' ' || presence`)} from namespaces group by server_id, datastore_name
union all select format('snapshots of %s/%s/%s', server_id, datastore_name, namespace), ${all('row')} from inside group by server_id, datastore_name, namespace`

/** Main as it is now, in one statement and so in one snapshot. */
export async function scopeDigests(asks: Asks): Promise<ScopeDigests> {
  const rows = await asks.sql<{ scope: string; digest: string }>(statement)
  return new Map(rows.map(({ scope, digest }) => [scope, digest]))
}

/** The scopes in which two digests differ. */
export function differingScopes(a: ScopeDigests, b: ScopeDigests): ReadonlyArray<string> {
  return [...new Set([...a.keys(), ...b.keys()])].filter((scope) => a.get(scope) !== b.get(scope))
}
