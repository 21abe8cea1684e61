import { type ModelName, type Scope, scopes, scopeTitle } from '@netbox-pbs/core'
import { BranchScopeUnknown } from '@netbox-pbs/core/ports'
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
interface CoveredScope {
  readonly scope: Scope
  /**
   * Id of its server; null: the scope of the servers, or a server that was unknown when branches
   * began to refer to servers by id.
   */
  readonly server_id: number | null
}

/** The columns of a `CoveredScope`, from `branch_scopes s`. */
const coveredScopeColumns: RawBuilder<unknown> = sql`
  s.server_id, s.scope || coalesce((select jsonb_build_object('server', v.name) from servers v where v.id = s.server_id), '{}') as scope`

/** Where a covered scope lies. */
const coveredPlace = ({ scope, server_id }: CoveredScope): ScopePlace => scopePlace(scope, server_id)

/** Whether the server of a covered scope is not known. */
const hasNoServer = ({ scope, server_id }: CoveredScope): boolean => server_id === null && scope.resource !== 'servers'

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

/** Whether the entry `e` belongs to the scope that lies at a place. No entry is of a scope that lands at once. */
export const ofPlace = (place: ScopePlace): RawBuilder<unknown> =>
  branchedModelsOf(place.resource).length === 0 ? sql`false` : inScope(place, 'e')

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
const conflictOfScope = (
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

interface HeldScope extends CoveredScope {
  readonly held: string
}

/** The scopes of a branch of which the guard holds deletions. */
async function heldScopes(db: Kysely<Tables>, branch: number): Promise<ReadonlyArray<HeldScope>> {
  const { rows } = await sql<HeldScope>`
    select ${coveredScopeColumns}, s.held from branch_scopes s
    where s.branch_id = ${branch}::bigint and s.held is not null
      and (s.server_id is null or exists (select from servers v where v.id = s.server_id))
    order by s.scope_key`.execute(db)
  return rows
}

/**
 * The guard's questions about a branch: whether the deletions that it holds may land. Each has
 * their number, so that a resolution is for the number that was seen; a scope whose server main has
 * deleted has no question, because its rows are gone, and one whose server is unknown keeps its
 * question.
 */
export async function guardQuestions(
  db: Kysely<Tables>,
  branch: number,
): Promise<ReadonlyArray<FoundConflict & { readonly model: ModelName }>> {
  const found: Array<FoundConflict & { readonly model: ModelName }> = []
  for (const { held, ...covered } of await heldScopes(db, branch)) {
    const which = { models: [scopes[covered.scope.resource].lists], which: sql`e.op = 'delete'` }
    const deletions = hasNoServer(covered) ? null : await entriesIn(db, branch, coveredPlace(covered), which)
    if (deletions === 0) continue
    const values = { base: null, main: null, branch: { reason: held, deletions } }
    found.push(conflictOfScope(covered, { kind: 'guard', ...values }))
  }
  return found
}

/**
 * Refuses a branch that holds deletions of a scope whose server is unknown: the guard's question
 * then names no entries. Undefined: there is none.
 */
export async function unknownScope(db: Kysely<Tables>, branch: number): Promise<BranchScopeUnknown | undefined> {
  const lost = (await heldScopes(db, branch)).find(hasNoServer)
  return lost === undefined ? undefined : new BranchScopeUnknown({ id: branch, scope: scopeTitle(lost.scope) })
}
