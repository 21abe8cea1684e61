import { type Scope, scopeKey, scopeResources, scopes } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchedModelsOf, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { scopeColumns, scopeColumnsOf } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'

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
