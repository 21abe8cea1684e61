import { listedModel, type ModelName, type Scope, scopeKey, scopeTitle } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { scopeModels } from '../inventory/scope-models.ts'
import { branchTable } from './branch-columns.ts'
import type { FoundConflict } from './conflict-rows.ts'
import { ofScope } from './of-scope.ts'

/** The scopes that branches cover, as `s`, beside what the last landed list of each left behind, as `t`. */
export const coveredScopes: RawBuilder<unknown> = sql`
  branch_scopes s left join servers v on v.name = s.scope ->> 'server'
  join scopes t on t.server_id is not distinct from v.id and t.resource = s.scope ->> 'resource'
    and t.datastore_name = coalesce(s.scope ->> 'datastore', '') and t.namespace = coalesce(s.scope ->> 'namespace', '')
    and t.job_type = coalesce(s.scope ->> 'job_type', '')`

/** How many entries of a branch lie in a scope, of any model or those of some kind. */
export async function entriesIn(
  db: Kysely<Tables>,
  branch: number,
  scope: Scope,
  {
    models = scopeModels[scope.resource],
    which = sql`true`,
  }: {
    readonly models?: ReadonlyArray<ModelName>
    readonly which?: RawBuilder<unknown>
  } = {},
): Promise<number> {
  if (models.length === 0) return 0
  const counts = models.map(
    (model) => sql`(
      select count(*) from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and ${which} and ${ofScope(scope)}
    )`,
  )
  const { rows } = await sql<{ count: number }>`select (${sql.join(counts, sql` + `)})::bigint as count`.execute(db)
  return rows[0]?.count ?? 0
}

/** A conflict of a whole scope. */
export const conflictOfScope = (
  scope: Scope,
  conflict: Pick<FoundConflict, 'kind' | 'base' | 'main' | 'branch'>,
): FoundConflict & { readonly model: ModelName } => ({
  ...conflict,
  field: null,
  objectId: null,
  scopeKey: scopeKey(scope),
  scope,
  title: scopeTitle(scope),
  model: listedModel[scope.resource],
})

interface Regressed {
  readonly scope: Scope
  readonly listed_at: string
  readonly last_complete_at: string
}

/** The scopes of which a later list than the branch's has landed meanwhile, as conflicts. They tell when each was listed: an answer is for the list that was seen. */
export async function regressions(
  db: Kysely<Tables>,
  branch: number,
): Promise<ReadonlyArray<FoundConflict & { readonly model: ModelName }>> {
  const { rows } = await sql<Regressed>`
    select s.scope, s.listed_at, t.last_complete_at from ${coveredScopes}
    where s.branch_id = ${branch}::bigint and t.last_complete_at > s.listed_at order by s.scope_key`.execute(db)
  const found: Array<FoundConflict & { readonly model: ModelName }> = []
  for (const { scope, listed_at, last_complete_at } of rows) {
    if ((await entriesIn(db, branch, scope)) === 0) continue
    const values = { base: listed_at, main: last_complete_at, branch: listed_at }
    found.push(conflictOfScope(scope, { kind: 'scope_regression', ...values }))
  }
  return found
}
