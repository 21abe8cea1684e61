import { type FieldErrors, type ModelName, registry } from '@netbox-pbs/core'
import { HandWrites, type InventoryLists, type StoreFailed, type WritableModel } from '@netbox-pbs/core/ports'
import { Data, Effect } from 'effect'
import { notFound, type Refused } from '../http/refused.ts'
import { keyTakenErrors } from '../validation/unique.ts'
import { validateItem, type WriteMode, wantedByItem } from '../validation/validate-item.ts'
import { knownServers } from './resolve-list.ts'

/** A change that a row does not take. */
export class FieldsRefused extends Data.TaggedError('FieldsRefused')<{ readonly errors: FieldErrors }> {}

/** Changes a row by an object of a body: `whole` needs the required fields, `partial` none. */
export const updateRow = (
  model: WritableModel,
  { id, input, mode }: { readonly id: number; readonly input: unknown; readonly mode: WriteMode },
): Effect.Effect<void, FieldsRefused | Refused | StoreFailed, HandWrites | InventoryLists> =>
  Effect.gen(function* () {
    const known = yield* knownServers(wantedByItem(model, input))
    const { values, errors } = validateItem(model, input, known, mode)
    if (Object.keys(errors).length > 0) return yield* new FieldsRefused({ errors })
    if (Object.keys(values).length === 0) return
    const writes = yield* HandWrites
    const there = yield* writes
      .update({ model, id, values })
      .pipe(Effect.catchTag('KeyTaken', () => new FieldsRefused({ errors: keyTakenErrors(model) })))
    if (!there) return yield* gone(model)
  })

/** Deletes a row and what is below it. */
export const removeRow = (model: WritableModel, id: number): Effect.Effect<void, Refused | StoreFailed, HandWrites> =>
  Effect.gen(function* () {
    const writes = yield* HandWrites
    if (!(yield* writes.remove({ model, id }))) return yield* gone(model)
  })

const gone = (model: ModelName) => Effect.fail(notFound(`No ${registry[model].label} matches the given query.`))
