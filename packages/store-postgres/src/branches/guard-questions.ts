import { type ModelName, scopes, scopeTitle } from '@netbox-pbs/core'
import { BranchScopeUnknown } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { FoundConflict } from './conflict-rows.ts'
import {
  type CoveredScope,
  conflictOfScope,
  coveredPlace,
  coveredScopeColumns,
  entriesIn,
  hasNoServer,
} from './covered-scopes.ts'

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
 * What the guard asks about a branch: whether the deletions that it holds may land. A question
 * names how many there are, so that an answer counts for the number that was seen. A scope whose
 * server main has deleted asks nothing: its rows are gone. A scope whose server is not known keeps
 * its question.
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
