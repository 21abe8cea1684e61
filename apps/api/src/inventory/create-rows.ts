import { type FieldErrors, registry } from '@netbox-pbs/core'
import { HandWrites, type InventoryLists, type StoreFailed, type WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { keyTakenErrors, keyValues, repeatedKeys } from '../validation/unique.ts'
import { type ValidatedItem, validateItem, wantedByItem } from '../validation/validate-item.ts'
import { knownServers } from './resolve-list.ts'
import { takenKeys } from './taken-keys.ts'

/** The rows made, or what is wrong with those that could not be; then none was made. */
export type CreateResult =
  | { readonly _tag: 'created'; readonly ids: ReadonlyArray<number> }
  | {
      readonly _tag: 'refused'
      readonly errors: ReadonlyArray<{ readonly index: number; readonly errors: FieldErrors }>
    }

/** Makes rows from the objects of a body: all of them or none. Every wrong object is reported, also those whose key is taken or comes twice. */
export const createRows = (
  model: WritableModel,
  inputs: ReadonlyArray<unknown>,
): Effect.Effect<CreateResult, StoreFailed, HandWrites | InventoryLists> =>
  Effect.gen(function* () {
    const items = yield* validateItems(model, inputs)
    const invalid = items.some(({ errors }) => hasErrors(errors))
    const repeated = repeatedKeys(model, judgedKeys(model, items))
    if (invalid || repeated.size > 0) return yield* refusal(model, items)
    if (items.length === 0) return { _tag: 'created', ids: [] }
    const writes = yield* HandWrites
    return yield* writes.create({ model, rows: items.map(({ values }) => values) }).pipe(
      Effect.map((ids): CreateResult => ({ _tag: 'created', ids })),
      Effect.catchTag('KeyTaken', ({ index }) => refusal(model, items, index)),
    )
  })

/** Judges the objects of a body, with the servers they name looked up at once. */
const validateItems = Effect.fn('validateItems')(function* (model: WritableModel, inputs: ReadonlyArray<unknown>) {
  const wanted = inputs.map((input) => wantedByItem(model, input))
  const known = yield* knownServers({
    names: [...new Set(wanted.flatMap(({ names }) => names))],
    ids: [...new Set(wanted.flatMap(({ ids }) => ids))],
  })
  return inputs.map((input) => validateItem(model, input, known, 'whole'))
})

/** The refusal with all its reasons. `index` is a row that the store found taken: it is named even when its rival is gone by now. */
const refusal = (model: WritableModel, items: ReadonlyArray<ValidatedItem>, index?: number) =>
  Effect.gen(function* () {
    const keys = judgedKeys(model, items)
    const taken = new Set([
      ...repeatedKeys(model, keys),
      ...(yield* takenKeys(model, keys)),
      ...(index === undefined ? [] : [index]),
    ])
    const errors = items
      .map((item, place) => ({
        index: place,
        errors: taken.has(place) ? { ...item.errors, ...keyTakenErrors(model) } : item.errors,
      }))
      .filter((item) => hasErrors(item.errors))
    return { _tag: 'refused' as const, errors }
  })

/** The keys to judge: one field is judged by itself, several only in a row that is right otherwise, as NetBox does. */
const judgedKeys = (model: WritableModel, items: ReadonlyArray<ValidatedItem>) =>
  items.map(({ values, errors }) =>
    registry[model].key.length > 1 && hasErrors(errors) ? null : keyValues(model, values),
  )

const hasErrors = (errors: FieldErrors): boolean => Object.keys(errors).length > 0
