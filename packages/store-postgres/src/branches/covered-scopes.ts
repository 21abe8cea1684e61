import { type ModelName, type Scope, scopes, scopeTitle } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchedModelsOf, inScope, placeKey, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { scopeColumns } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'
import type { FoundConflict } from './conflict-rows.ts'

/** The columns of `scopes` that identify the covered scope `s` on its server, each with its value there. */
const storedColumns = (['datastore', 'namespace', 'job_type'] as const).map((field) => ({
  column: scopeColumns[field],
  value: sql`coalesce(s.scope ->> ${sql.lit(field)}, '')`,
}))

/**
 * The scopes that branches cover, as `s`, each joined with the result of its last landed list, as
 * `t`.
 */
export const coveredScopes: RawBuilder<unknown> = sql`
  branch_scopes s
  join scopes t on t.server_id is not distinct from s.server_id and t.resource = s.scope ->> 'resource'
    and ${sql.join(
      storedColumns.map(({ column, value }) => sql`${sql.ref(`t.${column}`)} = ${value}`),
      sql` and `,
    )}`

/** A scope that a branch covers, under the present name of its server. */
export interface CoveredScope {
  readonly scope: Scope
  /**
   * Id of its server; null: the scope of the servers, or a server that was unknown when branches
   * began to refer to servers by id.
   */
  readonly server_id: number | null
}

/** The columns of a `CoveredScope`, from `branch_scopes s`. */
export const coveredScopeColumns: RawBuilder<unknown> = sql`
  s.server_id, s.scope || coalesce((select jsonb_build_object('server', v.name) from servers v where v.id = s.server_id), '{}') as scope`

/** Where a covered scope lies. */
export const coveredPlace = ({ scope, server_id }: CoveredScope): ScopePlace => scopePlace(scope, server_id)

/** Whether the server of a covered scope is not known. */
export const hasNoServer = ({ scope, server_id }: CoveredScope): boolean =>
  server_id === null && scope.resource !== 'servers'

/** How many entries of a branch lie in a scope, of any model or those of some kind. */
export async function entriesIn(
  db: Kysely<Tables>,
  branch: number,
  place: ScopePlace,
  {
    models = branchedModelsOf(place.resource),
    which = sql`true`,
  }: {
    readonly models?: ReadonlyArray<ModelName>
    readonly which?: RawBuilder<unknown>
  } = {},
): Promise<number> {
  if (models.length === 0) return 0
  const counts = models.map(
    (model) => sql`(
      select count(*) from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and ${which} and ${ofPlace(place)}
    )`,
  )
  const { rows } = await sql<{ count: number }>`select (${sql.join(counts, sql` + `)})::bigint as count`.execute(db)
  return rows[0]?.count ?? 0
}

/** A conflict of a whole scope. */
export const conflictOfScope = (
  covered: CoveredScope,
  conflict: Pick<FoundConflict, 'kind' | 'base' | 'main' | 'branch'>,
): FoundConflict & { readonly model: ModelName } => ({
  ...conflict,
  field: null,
  objectId: null,
  scopeKey: placeKey(coveredPlace(covered)),
  serverId: covered.server_id,
  scope: covered.scope,
  title: scopeTitle(covered.scope),
  model: scopes[covered.scope.resource].lists,
})

interface Regressed extends CoveredScope {
  readonly listed_at: string
  readonly last_complete_at: string
}

/**
 * The scopes of which a later list than the branch's has landed, as conflicts. They name the time
 * of each list: an answer counts only for the list that was shown.
 */
export async function regressions(
  db: Kysely<Tables>,
  branch: number,
): Promise<ReadonlyArray<FoundConflict & { readonly model: ModelName }>> {
  const { rows } = await sql<Regressed>`
    select ${coveredScopeColumns}, s.listed_at, t.last_complete_at from ${coveredScopes}
    where s.branch_id = ${branch}::bigint and t.last_complete_at > s.listed_at order by s.scope_key`.execute(db)
  const found: Array<FoundConflict & { readonly model: ModelName }> = []
  for (const { listed_at, last_complete_at, ...covered } of rows) {
    if ((await entriesIn(db, branch, coveredPlace(covered))) === 0) continue
    const values = { base: listed_at, main: last_complete_at, branch: listed_at }
    found.push(conflictOfScope(covered, { kind: 'scope_regression', ...values }))
  }
  return found
}

/** Whether the entry `e` belongs to the scope that lies at a place. No entry is of a scope that lands at once. */
export const ofPlace = (place: ScopePlace): RawBuilder<unknown> =>
  branchedModelsOf(place.resource).length === 0 ? sql`false` : inScope(place, 'e')

/**
 * Where the scopes that a branch of a sync covers lie in main, as rows of a query: under the names
 * of the columns of `scopes`, and how it was listed. Those of a server that main no longer has are
 * left out.
 */
export const coveredPlaces = (branch: number): RawBuilder<unknown> => sql`
  select s.scope_key, s.visibility, s.listed, s.listed_at, s.server_id, s.scope ->> 'resource' as resource,
    ${sql.join(storedColumns.map(({ column, value }) => sql`${value} as ${sql.id(column)}`))}
  from branch_scopes s
  where s.branch_id = ${branch}::bigint
    and (s.scope ->> 'resource' = 'servers' or exists (select from servers v where v.id = s.server_id))`
