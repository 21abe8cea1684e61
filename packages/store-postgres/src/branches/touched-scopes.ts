import { type Scope, scopeKey } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { type ScopePlace, scopePlace } from '../scopes/scope-place.ts'

/** A scope in which a branch changes something, and where it lies in main. */
export interface TouchedScope {
  readonly scope: Scope
  readonly place: ScopePlace
}

/** The scopes in which a branch changes anything, from the roots down; of one kind in the order of their names, which is also the order in which they are locked. */
export async function touchedScopes(db: Kysely<Tables>, branch: number): Promise<ReadonlyArray<TouchedScope>> {
  const of = sql`e.branch_id = ${branch}::bigint`
  const server = sql`join servers v on v.id = e.server_id`
  const { rows } = await sql<{ scope: Scope; server_id: number | null }>`
    select jsonb_build_object('resource', 'servers') as scope, null::bigint as server_id, 0 as rank where exists (select from branch_servers e where ${of})
    union all select distinct jsonb_build_object('resource', 'datastores', 'server', v.name), v.id, 1 from branch_datastores e ${server} where ${of}
    union all select distinct jsonb_build_object('resource', 'namespaces', 'server', v.name, 'datastore', e.datastore_name), v.id, 2
      from branch_namespaces e ${server} where ${of}
    union all (
      select distinct jsonb_build_object('resource', 'snapshots', 'server', v.name, 'datastore', e.datastore_name, 'namespace', e.namespace), v.id, 3
      from (
        select e.server_id, e.datastore_name, e.namespace from branch_groups e where ${of}
        union select e.server_id, e.datastore_name, e.namespace from branch_snapshots e where ${of}
      ) e ${server}
    )
    union all select distinct jsonb_build_object('resource', 'jobs', 'server', v.name, 'job_type', e.job_type), v.id, 4 from branch_jobs e ${server} where ${of}
    order by rank`.execute(db)
  const ranks = new Map(rows.map(({ scope }, rank) => [scope.resource, rank]))
  const rank = ({ resource }: Scope) => ranks.get(resource) ?? 0
  const scopes = rows.map(({ scope, server_id }) => ({ scope, place: scopePlace(scope, server_id) }))
  return scopes.toSorted(({ scope: a }, { scope: b }) => rank(a) - rank(b) || (scopeKey(a) < scopeKey(b) ? -1 : 1))
}
