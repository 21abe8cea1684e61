import { type ModelName, pageLimits, registry } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect, Option } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { type HttpError, notFound } from '../rest/http-error.ts'
import { anyRow, type Row, rowId } from '../rest/row.ts'

/** The row that the path names by its id; 404 in NetBox's words when there is none. */
export const findRow = (model: ModelName, c: ApiContext): Effect.Effect<Row, HttpError | StoreFailed, InventoryLists> =>
  Effect.flatMap(pathId(c), (id) => findById(model, id))

/** The row of an id; 404 when there is none. */
export const findById = (model: ModelName, id: number): Effect.Effect<Row, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    // An id beyond what a number can hold is no row's.
    const row = id > 0 && Number.isSafeInteger(id) ? yield* lists.get({ model, id }) : Option.none()
    return yield* Option.match(row, {
      onNone: () => Effect.fail(notFound(`No ${registry[model].label} matches the given query.`)),
      onSome: (found) => Effect.succeed(anyRow(found)),
    })
  })

/** The id in the path; 404 when it is no number. */
export const pathId = (c: ApiContext): Effect.Effect<number, HttpError> => {
  const text = c.req.param('id') ?? ''
  return /^\d+$/.test(text) ? Effect.succeed(rowId(text)) : Effect.fail(notFound('Not found.'))
}

/** Rows by their ids, in the order of the ids; ids without a row are left out. */
export const rowsByIds = (
  model: ModelName,
  ids: ReadonlyArray<number>,
): Effect.Effect<ReadonlyArray<Row>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const pages = yield* Effect.forEach(Arr.chunksOf(ids, pageLimits.max), (values) =>
      lists.list({
        model,
        filters: [{ field: 'id', lookup: 'exact', values }],
        search: null,
        order: [],
        page: { _tag: 'cursor', limit: values.length, start: 0 },
      }),
    )
    const rows = new Map(pages.flatMap((page) => page.rows.map((row) => [row.id, anyRow(row)] as const)))
    return ids.flatMap((id) => rows.get(id) ?? [])
  })
