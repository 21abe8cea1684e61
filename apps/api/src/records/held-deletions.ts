import {
  type HeldDeletions as CoreHeldDeletions,
  heldStates,
  holdReasons,
  type ModelName,
  scopes,
  scopeTitle,
  whyHeld,
} from '@netbox-pbs/core'
import { HeldDeletionsStore, InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { z } from 'zod'
import { pageUrl, rowUrl, runUrl } from '../rest/links.ts'
import { anyRow, choice, display, type Row } from '../rest/row.ts'
import { choiceOf, reference, scopeFields, time } from './fields.ts'

/** The held deletions of a scope. */
export const HeldDeletions = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  scope: scopeFields,
  state: choiceOf(heldStates),
  reason: z.object({ code: z.enum(holdReasons), message: z.string() }),
  revision: z
    .int()
    .describe(
      'Rises when a deletion is added and when the reason or the visibility changes. A decision may name the revision it was taken on.',
    ),
  count: z.int(),
  since: time,
  samples: z.array(reference.extend({ display_url: z.url(), missing_since: time.nullable() })),
  run: reference,
  decided_by: z.string().nullable(),
  decided_at: time.nullable(),
})

/** A decision on held deletions. */
export const HeldDecision = z.object({ revision: z.int().nullable().optional() })

/** The body when they have changed since the operator's decision. */
export const HeldConflict = z.object({ detail: z.string(), held: HeldDeletions })

/** Rows shown for the held deletions of a scope. */
const sampleSize = 10

/** The held deletions of a scope with their first rows, all of `model`. */
export interface SampledSet {
  readonly set: CoreHeldDeletions
  readonly model: ModelName
  readonly rows: ReadonlyArray<Row>
}

/** Reads the first rows of the held deletions of a scope. */
export const sampleRows = (
  set: CoreHeldDeletions,
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
export const servedHeld = (
  base: string,
  run: number,
  { set, model, rows }: SampledSet,
): z.infer<typeof HeldDeletions> => ({
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
    missing_since: typeof row['missing_since'] === 'string' ? row['missing_since'] : null,
  })),
  run: { id: set.runId, url: runUrl(base, set.runId), display: `Run ${set.runId}` },
  decided_by: set.decided?.by ?? null,
  decided_at: set.decided?.at ?? null,
})
