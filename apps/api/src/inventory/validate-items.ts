import type { Branch } from '@netbox-pbs/core'
import type { WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Row } from '../rest/row.ts'
import { referencedByItem, type ValidatedItem, validateItem, type WriteMode } from '../validation/validate-item.ts'
import { knownDefinitions, withAttached } from './attached.ts'
import { branchErrors, branchValues } from './branch-limits.ts'
import { foundServers } from './find-row.ts'

/** An object of a body and the row that it changes; null: it creates one. */
export interface ItemToValidate {
  readonly input: unknown
  readonly row: Row | null
}

/**
 * Judges the objects of a body, with the servers they name looked up at once. In a branch, values
 * that are not branched are errors where they differ from the row's, and left out where not.
 */
export const validateItems = Effect.fn('validateItems')(function* (
  model: WritableModel,
  items: ReadonlyArray<ItemToValidate>,
  { mode, branch }: { readonly mode: WriteMode; readonly branch: Branch | null },
) {
  const known = yield* foundServers(items.map(({ input }) => referencedByItem(model, input)))
  const definitions = yield* knownDefinitions(
    model,
    items.map(({ input }) => input),
  )
  return items.map(({ input, row }): ValidatedItem => {
    const stored = row === null ? null : row.custom_fields
    const item = withAttached(model, validateItem(model, input, known, mode), { input, known: definitions, stored })
    if (branch === null) return item
    const errors = { ...branchErrors(model, { row, input, values: item.values }), ...item.errors }
    return { ...item, values: row === null ? item.values : branchValues(model, item.values), errors }
  })
})
