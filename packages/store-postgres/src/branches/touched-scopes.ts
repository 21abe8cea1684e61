import { branchedModels, type Scope, scopeKey } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchTable } from './branch-columns.ts'

/** The scopes in which a branch changes anything, from the roots down; of one kind in the order of their names, which is also the order in which they are locked. */
export async function touchedScopes(db: Kysely<Tables>, branch: number): Promise<ReadonlyArray<Scope>> {
  const of = sql`e.branch_id = ${branch}::bigint`
  const server = sql`join servers v on v.id = e.server_id`
  const { rows } = await sql<{ scope: Scope }>`
    select jsonb_build_object('resource', 'servers') as scope, 0 as rank where exists (select from branch_servers e where ${of})
    union all select distinct jsonb_build_object('resource', 'datastores', 'server', v.name), 1 from branch_datastores e ${server} where ${of}
    union all select distinct jsonb_build_object('resource', 'namespaces', 'server', v.name, 'datastore', e.datastore_name), 2
      from branch_namespaces e ${server} where ${of}
    union all (
      select distinct jsonb_build_object('resource', 'snapshots', 'server', v.name, 'datastore', e.datastore_name, 'namespace', e.namespace), 3
      from (
        select branch_id, server_id, datastore_name, namespace from branch_groups
        union all select branch_id, server_id, datastore_name, namespace from branch_snapshots
      ) e ${server} where ${of}
    )
    union all select distinct jsonb_build_object('resource', 'jobs', 'server', v.name, 'job_type', e.job_type), 4 from branch_jobs e ${server} where ${of}
    order by rank`.execute(db)
  const ranks = new Map(rows.map(({ scope }, rank) => [scope.resource, rank]))
  const rank = ({ resource }: Scope) => ranks.get(resource) ?? 0
  const scopes = rows.map(({ scope }) => scope)
  return scopes.toSorted((a, b) => rank(a) - rank(b) || (scopeKey(a) < scopeKey(b) ? -1 : 1))
}

/** How many rows a branch would make below servers that main no longer has, and that nobody has said to leave out. */
export async function unansweredOrphans(db: Kysely<Tables>, branch: number): Promise<number> {
  const counts = branchedModels
    .filter((model) => model !== 'server')
    .map(
      (model) => sql`(
        select count(*) from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and e.op = 'create'
          and not exists (select from servers v where v.id = e.server_id)
          and not exists (
            select from branch_conflicts c where c.branch_id = e.branch_id and c.model = ${model} and c.object_id = e.id and c.resolution is not null
          )
      )`,
    )
  const { rows } = await sql<{ orphans: number }>`select (${sql.join(counts, sql` + `)})::bigint as orphans`.execute(db)
  return rows[0]?.orphans ?? 0
}
