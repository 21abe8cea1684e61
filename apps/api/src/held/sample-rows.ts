import { type HeldDeletions, type ModelName, scopes } from '@netbox-pbs/core'
import { HeldDeletionsStore, InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { anyRow, type Row } from '../rest/row.ts'

/** Rows shown for the held deletions of a scope. */
export const sampleSize = 10

/** The held deletions of a scope with their first rows, all of `model`. */
export interface SampledSet {
  readonly set: HeldDeletions
  readonly model: ModelName
  readonly rows: ReadonlyArray<Row>
}

/** Reads the first rows of the held deletions of a scope. */
export const sampleRows = (
  set: HeldDeletions,
): Effect.Effect<SampledSet, StoreFailed, HeldDeletionsStore | InventoryLists> =>
  Effect.gen(function* () {
    const model = scopes[set.scope.resource].lists
    const ids = yield* (yield* HeldDeletionsStore).sample({ id: set.id, limit: sampleSize })
    if (ids.length === 0) return { set, model, rows: [] }
    const filters = [{ field: 'id', lookup: 'exact', values: ids }] as const
    const page = { _tag: 'cursor', limit: sampleSize, start: 0 } as const
    const found = yield* (yield* InventoryLists).list({ model, filters, search: null, order: [], page })
    return { set, model, rows: found.rows.map((row) => anyRow(row)) }
  })
