import type { FieldErrors, ModelName } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { badRequest, type HttpError, invalid } from '../rest/http-error.ts'
import { checkInteger } from '../validation/check-value.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'

/** An object of a bulk body and the row it speaks of. */
export interface BulkTarget {
  readonly id: number
  readonly input: object
}

/** Objects of one body: more would make a response, or a transaction, without bound. */
export const maxObjects = 10_000

/** 400 for a body of more objects. */
export const tooManyObjects = badRequest(`At most ${maxObjects} objects can be sent at once.`)

const anyId = { min: 0, max: Number.MAX_SAFE_INTEGER }

/** The rows that a bulk change or deletion names by `id`. Every one of them must be there. */
export const bulkTargets = (
  model: ModelName,
  body: unknown,
): Effect.Effect<ReadonlyArray<BulkTarget>, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (!Array.isArray(body)) return yield* badRequest(`Expected a list of objects, but got ${pythonType(body)}.`)
    if (body.length > maxObjects) return yield* tooManyObjects
    const read = body.map(readTarget)
    const malformed = read.flatMap((item, index) => ('errors' in item ? [{ index, errors: item.errors }] : []))
    if (malformed.length > 0) return yield* bulkError('failed validation', body.length, malformed)
    const targets = read.flatMap((item) => ('errors' in item ? [] : [item]))
    const lists = yield* InventoryLists
    const ids = targets.map(({ id }) => id)
    const there = ids.length > 0 ? yield* lists.existing({ model, ids }) : new Set<number>()
    const missing = ids
      .filter((id) => !there.has(id))
      .map((id) => ({ id, errors: { id: [`Object with ID ${id} does not exist`] } }))
    if (missing.length > 0) return yield* bulkError('could not be found', body.length, missing)
    return targets
  })

/** 400 with the objects that prevent the request, in NetBox's envelope. */
export const bulkError = (
  what: 'failed validation' | 'could not be found' | 'could not be created' | 'could not be updated',
  all: number,
  errors: ReadonlyArray<{ readonly index?: number; readonly id?: number; readonly errors: FieldErrors }>,
): HttpError => invalid({ detail: `${errors.length} of ${all} objects ${what}.`, errors })

function readTarget(input: unknown): BulkTarget | { readonly errors: FieldErrors } {
  if (!isDictionary(input)) {
    return { errors: { __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(input)}.`] } }
  }
  const id = ownValue(input, 'id')
  if (id === undefined) return { errors: { id: ['This field is required.'] } }
  const checked = checkInteger(anyId, id)
  if (checked._tag === 'rejected') return { errors: { id: ['A valid integer is required.'] } }
  return { id: Number(checked.value), input }
}
