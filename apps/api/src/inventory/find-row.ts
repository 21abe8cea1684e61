import {
  type ListQuery,
  type ListRequest,
  type ModelName,
  pageLimits,
  type ReferencedRows,
  type ResolvedListQuery,
  referencedRows,
  registry,
  resolveListQuery,
  sentPatterns,
} from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect, Option } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { type HttpError, invalid, notFound } from '../rest/http-error.ts'
import { wrongPatterns } from '../rest/read-filter.ts'
import { anyRow, type Row, rowId } from '../rest/row.ts'
import { attributesText, type NamedServers } from '../validation/check-reference.ts'

/** The row that the path names by its id; 404 in NetBox's words when there is none. */
export const findRow = (model: ModelName, c: ApiContext): Effect.Effect<Row, HttpError | StoreFailed, InventoryLists> =>
  Effect.flatMap(pathId(c), (id) => findById(model, id))

/** The row of an id; 404 when there is none. */
export const findById = (model: ModelName, id: number): Effect.Effect<Row, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    // An id beyond the range of a number belongs to no row.
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

/** Looks up which of the servers named, by name or by id, there are. Asks nothing when nothing is named. */
export const knownServers = Effect.fn('knownServers')(function* ({ names: requested, ids }: ReferencedRows) {
  const lists = yield* InventoryLists
  // A database cannot be asked for text that it cannot store, and no server has such a name.
  const names = requested.filter((name) => !name.includes('\0') && name.isWellFormed())
  return {
    idsByName: names.length > 0 ? yield* lists.serverIds({ names }) : new Map<string, number>(),
    ids: ids.length > 0 ? yield* lists.existing({ model: 'server', ids }) : new Set<number>(),
  }
})

/** The same for the servers that bodies name, also by other attributes. Each is asked for once. */
export const foundServers = Effect.fn('foundServers')(function* (named: ReadonlyArray<NamedServers>) {
  const known = yield* knownServers({
    names: [...new Set(named.flatMap(({ names }) => names))],
    ids: [...new Set(named.flatMap(({ ids }) => ids))],
  })
  const lists = yield* InventoryLists
  const idsByAttributes = new Map<string, ReadonlyArray<number>>()
  for (const attributes of named.flatMap((one) => one.attributes)) {
    const text = attributesText(attributes)
    if (idsByAttributes.has(text)) continue
    const { rows } = yield* lists.list({
      model: 'server',
      filters: Object.entries(attributes).map(([field, value]) => ({ field, lookup: 'exact', values: [value] })),
      search: null,
      order: [],
      page: { _tag: 'cursor', limit: 2, start: 0 },
    })
    idsByAttributes.set(
      text,
      rows.map(({ id }) => id),
    )
  }
  return { ...known, idsByAttributes }
})

/** A list request with its references looked up and its regular expressions tried. */
export const resolveRequest = <M extends ModelName>(
  request: ListRequest<M>,
): Effect.Effect<ResolvedListQuery<M>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const known = yield* knownServers(referencedRows(request))
    return resolveListQuery(request, known, yield* wrongPatterns(sentPatterns(request)))
  })

/** The same; 400 with every wrong parameter. */
export const resolveList = <M extends ModelName>(
  request: ListRequest<M>,
): Effect.Effect<ListQuery<M>, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const resolved = yield* resolveRequest(request)
    return resolved._tag === 'query' ? resolved.query : yield* invalid(resolved.body)
  })
