import type { FieldErrors, ModelName } from '@netbox-pbs/core'
import type { InventoryLists, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { badRequest, type HttpError, invalid } from '../rest/http-error.ts'
import { maxObjects } from '../rest/read-body.ts'
import type { Row } from '../rest/row.ts'
import { checkInteger } from '../validation/check-value.ts'
import { pythonType } from '../validation/python-text.ts'
import { isDictionary, noDictionary, ownValue } from '../validation/validate-item.ts'
import { rowsByIds } from './find-row.ts'

/** An object of a bulk body. */
export interface BulkObject {
  readonly id: number
  /** Its place in the body. */
  readonly index: number
  readonly input: object
}

/** An object of a bulk body and the row it speaks of. */
export interface BulkTarget extends BulkObject {
  readonly row: Row
}

/** 400 for a body of more objects. */
export const tooManyObjects = badRequest(
  `At most ${maxObjects} objects can be sent in one request: send the rest in further requests.`,
)

const anyId = { min: 0, max: Number.MAX_SAFE_INTEGER }

/** The objects that a bulk change or deletion names by `id`. `repeated`: how an object is taken that is named again. */
export const bulkObjects = (
  body: unknown,
  repeated: 'refuse' | 'keep the last',
): Effect.Effect<ReadonlyArray<BulkObject>, HttpError> =>
  Effect.gen(function* () {
    if (!Array.isArray(body)) return yield* badRequest(`Expected a list of objects, but got ${pythonType(body)}.`)
    if (body.length > maxObjects) return yield* tooManyObjects
    const objects = new Map<number, BulkObject>()
    const malformed: Array<{ readonly index: number; readonly errors: FieldErrors }> = []
    for (const [index, input] of body.entries()) {
      const read = readObject(input, index)
      if ('errors' in read) malformed.push({ index, errors: read.errors })
      else if (repeated === 'refuse' && objects.has(read.id)) malformed.push({ index, errors: namedTwice(read.id) })
      else objects.set(read.id, read)
    }
    if (malformed.length > 0) return yield* bulkError('failed validation', body.length, malformed)
    return [...objects.values()]
  })

/** The rows of objects, in the order of the body. Every one of them must be there. */
export const bulkTargets = (
  model: ModelName,
  objects: ReadonlyArray<BulkObject>,
): Effect.Effect<ReadonlyArray<BulkTarget>, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const ids = objects.map(({ id }) => id)
    const rows = new Map((yield* rowsByIds(model, ids)).map((row) => [row.id, row]))
    const missing = ids.filter((id) => !rows.has(id))
    if (missing.length > 0) return yield* objectsNotFound(missing, objects.length)
    return objects.flatMap((object) => {
      const row = rows.get(object.id)
      return row === undefined ? [] : [{ ...object, row }]
    })
  })

/** 400 for objects that are not there. */
export const objectsNotFound = (ids: ReadonlyArray<number>, all: number): HttpError =>
  bulkError(
    'could not be found',
    all,
    ids.map((id) => ({ id, errors: { id: [`Object with ID ${id} does not exist`] } })),
  )

/** An object of a bulk body that is at fault, by its place in the body or by its id. */
export interface ObjectErrors {
  readonly index?: number
  readonly id?: number
  readonly errors: FieldErrors
}

/** 400 with the objects that prevent the request, in NetBox's envelope. */
export const bulkError = (
  what:
    | 'failed validation'
    | 'could not be found'
    | 'could not be created'
    | 'could not be updated'
    | 'could not be deleted',
  all: number,
  errors: ReadonlyArray<ObjectErrors>,
): HttpError => invalid({ detail: `${errors.length} of ${all} objects ${what}.`, errors })

function readObject(input: unknown, index: number): BulkObject | { readonly errors: FieldErrors } {
  if (!isDictionary(input)) return { errors: noDictionary(input) }
  const id = ownValue(input, 'id')
  if (id === undefined) return { errors: { id: ['This field is required.'] } }
  if (id === null) return { errors: { id: ['This field may not be null.'] } }
  const checked = checkInteger(anyId, id)
  if (checked._tag === 'rejected') return { errors: { id: ['A valid integer is required.'] } }
  return { id: Number(checked.value), index, input }
}

const namedTwice = (id: number): FieldErrors => ({ id: [`Object with ID ${id} is in this request already.`] })
