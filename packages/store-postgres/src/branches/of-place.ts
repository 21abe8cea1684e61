import { type RawBuilder, sql } from 'kysely'
import { branchedModelsOf, inScope, type ScopePlace } from '../scopes/scope-place.ts'

/** Whether the entry `e` belongs to the scope that lies at a place. No entry is of a scope that lands at once. */
export const ofPlace = (place: ScopePlace): RawBuilder<unknown> =>
  branchedModelsOf(place.resource).length === 0 ? sql`false` : inScope(place, 'e')
