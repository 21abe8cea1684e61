import { type HeldDeletions, type ModelName, scopes, scopeTitle, whyHeld } from '@netbox-pbs/core'
import { HeldDeletionsStore, InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { pageUrl, rowUrl, runUrl } from '../rest/links.ts'
import { anyRow, choice, display, type Row } from '../rest/row.ts'

/** Rows shown for the held deletions of a scope. */
const sampleSize = 10

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

/** The held deletions of a scope in REST form, under the requested run. */
export const servedHeld = (base: string, run: number, { set, model, rows }: SampledSet) => ({
  id: set.id,
  url: `${runUrl(base, run)}held/${set.id}/`,
  display: scopeTitle(set.scope),
  scope: set.scope,
  state: choice(set.state),
  reason: { code: set.reason, message: whyHeld[set.reason] },
  revision: set.revision,
  count: set.count,
  since: set.since,
  samples: rows.map((row) => ({
    id: row.id,
    url: rowUrl(base, model, row.id),
    display_url: pageUrl(base, model, row.id),
    display: display(model, row),
    missing_since: row['missing_since'],
  })),
  run: { id: set.runId, url: runUrl(base, set.runId), display: `Run ${set.runId}` },
  decided_by: set.decided?.by ?? null,
  decided_at: set.decided?.at ?? null,
})
