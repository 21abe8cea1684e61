import { type Scope, type ScopeResource, scopeKey, scopeResources, scopes } from '@netbox-pbs/core'
import type { BranchNotFound, BranchNotOpen } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { lockFurther, lockPlaces, type Places } from '../scopes/scope-locks.ts'
import { branchedModelsOf, placeColumns, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { sameScope, scopeColumns, scopeColumnsOf } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'
import { type Locked, lockBranchFor } from './branch-record.ts'

/**
 * Locks the places in which a branch changes anything, then the branch itself, for a merge or the
 * end of the branch. Places that were added before the locks were taken are locked afterwards if
 * they are free; otherwise the transaction starts again.
 */
export async function lockWithPlaces(
  db: Kysely<Tables>,
  id: number,
  action: 'merge' | 'close',
): Promise<Locked | BranchNotFound | BranchNotOpen> {
  const before = await placesOfBranch(db, id)
  await lockPlaces(before).execute(db)
  const branch = await lockBranchFor(db, id, action)
  if (branch instanceof Error) return branch
  await lockPresentPlaces(db, id)
  return branch
}

/** Locks the places that a locked branch has gained since, if they are free. */
export async function lockPresentPlaces(db: Kysely<Tables>, id: number): Promise<void> {
  await lockFurther(db, await placesOfBranch(db, id))
}

/**
 * The places in which a branch changes rows (as the branch and as main have them) or has counted
 * groups, and the servers that it deletes. Rows below a server that the branch creates count as
 * below main's new server of the same name, if there is one.
 */
async function placesOfBranch(db: Kysely<Tables>, branch: number): Promise<Places> {
  const id = sql`${Number.isSafeInteger(branch) ? branch : 0}::bigint`
  const columns = (resource: ScopeResource) => sql`${sql.lit(resource)} as resource, ${placeColumns(resource, 'x')}`
  const entries = (resource: ScopeResource, table: string = resource) =>
    sql`select distinct ${columns(resource)} from ${sql.table(`branch_${table}`)} x where x.branch_id = ${id}`
  // Main has nearly all rows where the branch has them, and sorting places takes longer than to compare two.
  const mains = (resource: ScopeResource) =>
    sql`select ${columns(resource)} from ${sql.table(`branch_${resource}`)} e join ${sql.table(resource)} x on x.id = e.id
      where e.branch_id = ${id} and e.op <> 'create' and not (${sameScope(resource, 'x', 'e')})`
  const { rows } = await sql<ScopePlace>`
    select distinct p.resource, coalesce(v.id, p.server_id) as server_id, p.datastore_name, p.namespace, p.job_type
    from (
      ${entries('datastores')} union all ${mains('datastores')}
      union all ${entries('namespaces')}
      union all ${entries('snapshots', 'groups')}
      union all ${entries('snapshots')} union all ${mains('snapshots')}
      union all ${entries('snapshots', 'group_counts')}
      union all ${entries('jobs')} union all ${mains('jobs')}
    ) p
    left join branch_servers s on s.branch_id = ${id} and s.id = p.server_id and s.op = 'create'
    left join servers v on v.name = s.name
    union all
    select 'servers', null, '', '', '' where exists (select from branch_servers s where s.branch_id = ${id})`.execute(
    db,
  )
  const { rows: deleted } = await sql<{ id: number }>`
    select s.id from branch_servers s where s.branch_id = ${id} and s.op = 'delete'`.execute(db)
  return { scopes: rows, deletedServers: deleted.map((server) => server.id) }
}

/** A scope in which a branch changes something, and where it lies in main. */
export interface TouchedScope {
  readonly scope: Scope
  readonly place: ScopePlace
}

/**
 * The scopes in which a branch changes anything, from the roots down; of one kind in the order of
 * their names, which is also the order in which they are locked.
 */
export async function touchedScopes(db: Kysely<Tables>, branch: number): Promise<ReadonlyArray<TouchedScope>> {
  const of = sql`e.branch_id = ${branch}::bigint`
  const ofServers = sql`select jsonb_build_object('resource', 'servers') as scope, null::bigint as server_id where exists (select from branch_servers e where ${of})`
  const others = scopeResources.flatMap((resource) => {
    const models = branchedModelsOf(resource)
    if (resource === 'servers' || models.length === 0) return []
    const columns = sql.join(scopeColumnsOf(resource).map((column) => sql.ref(`e.${column}`)))
    const entries = models.map((model) => sql`select ${columns} from ${branchTable(model)} e where ${of}`)
    const fields = scopes[resource].by.map(
      (field) => sql`${sql.lit(field)}, ${field === 'server' ? sql`v.name` : sql.ref(`e.${scopeColumns[field]}`)}`,
    )
    return [
      sql`select jsonb_build_object('resource', ${sql.lit(resource)}, ${sql.join(fields)}), v.id
        from (${sql.join(entries, sql` union `)}) e join servers v on v.id = e.server_id`,
    ]
  })
  const { rows } = await sql<{ scope: Scope; server_id: number | null }>`
    ${sql.join([ofServers, ...others], sql` union `)}`.execute(db)
  const rank = ({ resource }: Scope) => scopeResources.indexOf(resource)
  const touched = rows.map(({ scope, server_id }) => ({ scope, place: scopePlace(scope, server_id) }))
  return touched.toSorted(({ scope: a }, { scope: b }) => rank(a) - rank(b) || (scopeKey(a) < scopeKey(b) ? -1 : 1))
}
