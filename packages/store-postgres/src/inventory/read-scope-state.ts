import type { Scope } from '@netbox-pbs/core'
import type { ScopeState } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { heldDeletionsOf } from '../held-deletions/held-deletions-row.ts'
import { isScopeRow, scopePlace } from '../scopes/scope-place.ts'
import { rowCounts, scopeServerId } from '../scopes/scope-rows.ts'

/** What the last landed complete list of a scope left behind. */
export async function readScopeState(db: Kysely<Tables>, scope: Scope): Promise<ScopeState> {
  const serverId = await scopeServerId(db, scope)
  if (serverId === undefined) return { visibility: null, lastCompleteAt: null, rows: 0, held: 0, set: null }
  const place = scopePlace(scope, serverId)
  const set = await heldDeletionsOf(db, place)
  const { rows } = await sql<Omit<ScopeState, 'set'>>`
    select counted.rows, counted.held, s.visibility, s.last_complete_at as "lastCompleteAt"
    from (${rowCounts(place)}) counted left join scopes s on ${isScopeRow(place)}`.execute(db)
  return { ...(rows[0] ?? { visibility: null, lastCompleteAt: null, rows: 0, held: 0 }), set }
}
