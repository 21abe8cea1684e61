import { type ListQuery, type ModelName, registry } from '@netbox-pbs/core'
import {
  InventoryLists,
  type RowInPart,
  type ServedPage,
  type StoreFailed,
  type WholeList,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option, Stream } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { revisionOf } from '../database/revision.ts'
import { type SeenServers, seenServers } from '../database/seen-servers.ts'
import { needsFolding } from '../tables/comparison.ts'
import { foldingOf } from '../tables/folding.ts'
import { patternFaults } from '../tables/pattern-faults.ts'
import {
  type Counted,
  countOfLevels,
  countsByLevels,
  isOfKey,
  readsAllGroups,
  type Slice,
  sourceOf,
  walkedFields,
  walkedIds,
  walksLevels,
} from './level-walk.ts'
import { type Levels, mainLevels } from './levels.ts'
import { isIndexed, type Relation } from './list-columns.ts'
import { listOrder, type OrderKey } from './list-order.ts'
import { streamList } from './list-stream.ts'
import {
  type Condition,
  countOf,
  filterCondition,
  type ListView,
  mainListView,
  namesRows,
  partsOf,
  searchCondition,
} from './list-view.ts'
import { servedRows } from './served-rows.ts'
import { visibleServersOf, visibleView } from './visible-rows.ts'

/** Lists and details straight from main's tables. */
export const inventoryListsLayer: Layer.Layer<InventoryLists, never, Database> = Layer.effect(
  InventoryLists,
  Effect.gen(function* () {
    const database = yield* Database
    return listsOf({
      database,
      folding: yield* foldingOf(database),
      rows: (model) => Effect.succeed(mainRows(model)),
    })
  }),
)

/** The rows of a model in main. */
export const mainRows = (model: ModelName): Rows => ({
  view: () => mainListView(model),
  levels: mainLevels,
  servers: sql`servers`,
})

/** The way to read the rows of a model: in main, or in a branch. */
export interface Rows {
  /** Whole rows, or as much of them as a query needs that looks at these fields alone. */
  readonly view: (fields: ReadonlyArray<string> | 'all') => ListView
  /** The counters of its groups and snapshots. */
  readonly levels: Levels
  /** Servers by `id` and `name`. */
  readonly servers: RawBuilder<unknown>
}

/** An inventory that lists are read from. */
interface Readable {
  readonly database: Database['Type']
  /** A collation that knows the case of all letters. */
  readonly folding: Effect.Effect<string | null, StoreFailed>
  readonly rows: (model: ModelName) => Effect.Effect<Rows, StoreFailed>
}

/** Lists and details of an inventory, of the servers that the present user sees. */
export const listsOf = ({ rows, ...about }: Readable): InventoryLists['Type'] =>
  listsOfVisible({
    ...about,
    rows: (model) => Effect.zipWith(rows(model), seenServers, visibleRows),
  })

/** The rows of the servers that the present user sees. */
const visibleRows = (rows: Rows, seen: SeenServers): Rows => ({
  view: (fields) => visibleView(rows.view(fields), seen),
  levels: { ...rows.levels, servers: visibleServersOf(rows.levels.servers, seen) },
  servers: visibleServersOf(rows.servers, seen),
})

const listsOfVisible = (inventory: Readable): InventoryLists['Type'] => ({
  list: (query) => listRows(inventory, query),
  stream: (query, make) => Stream.unwrap(streamRows(inventory, query, make)),
  revision: revisionOf(inventory.database),
  get: (request) => getRow(inventory, request),
  serverIds: Effect.fn('InventoryLists.serverIds')(function* ({ names }) {
    const { servers } = yield* inventory.rows('server')
    return yield* inventory.database.query('reading servers', async (db) => {
      const { rows } = await sql<{ name: string; id: number }>`
        select v.name, v.id from ${servers} v where v.name = any(${names.filter((name) => !name.includes('\0'))}::text[])`.execute(
        db,
      )
      return new Map(rows.map(({ name, id }) => [name, id]))
    })
  }),
  existing: Effect.fn('InventoryLists.existing')(function* ({ model, ids }) {
    const view = (yield* inventory.rows(model)).view('all')
    const among = { where: sql`t.id = any(${ids.filter(Number.isSafeInteger)}::bigint[])`, columns: [] }
    const found = partsOf(view, { conditions: [among] }).map((part) => sql`select t.id ${part}`)
    return yield* inventory.database.query(`reading ${registry[model].path}`, async (db) => {
      const { rows } = await sql<{ id: number }>`${sql.join(found, sql` union all `)}`.execute(db)
      return new Set(rows.map(({ id }) => id))
    })
  }),
  patternFaults: ({ patterns }) => patternFaults(inventory.database, patterns),
})

const getRow = Effect.fn('InventoryLists.get')(function* <M extends ModelName>(
  inventory: Readable,
  { model, id }: { readonly model: M; readonly id: number },
) {
  if (!Number.isSafeInteger(id)) return Option.none()
  const rows = yield* inventory.rows(model)
  const served = yield* pageRows<M>(inventory, `reading a ${model}`, rows, sql`select ${id}::bigint as id, 1 as place`)
  return Option.fromNullable(served[0])
})

const listRows = Effect.fn('InventoryLists.list')(function* <M extends ModelName>(
  inventory: Readable,
  query: ListQuery<M>,
): Effect.fn.Return<ServedPage<M>, StoreFailed> {
  const page = readPage(inventory, query)
  return yield* mayScan(query) ? inventory.database.scan(`listing ${registry[query.model].path}`, page) : page
})

/** Models whose tables grow with the number of backups. */
const large: ReadonlySet<ModelName> = new Set(['snapshot', 'group', 'task'])

/**
 * Whether a list may read its whole table for a page: no counter tells how many rows match, or no
 * index gives their order.
 */
export function mayScan(query: ListQuery): boolean {
  const { model, filters, search, order, page } = query
  if (filters.some(namesRows)) return false
  if (search !== null && search !== '') return true
  if (!large.has(model)) return false
  const ofLevels = page._tag === 'offset' && countsByLevels(query) && !readsAllGroups(query)
  if (ofLevels && walksLevels(query)) return false
  const ordered = order.length > 0 && page._tag === 'offset'
  const [first] = listOrder(model, order)
  if (ordered && first !== undefined && !isIndexed(first.column)) return true
  return filters.length > 0 && !(ofLevels && filters.every(isOfKey))
}

const readPage = Effect.fn('InventoryLists.page')(function* <M extends ModelName>(
  inventory: Readable,
  query: ListQuery<M>,
): Effect.fn.Return<ServedPage<M>, StoreFailed> {
  const { model, page } = query
  const conditions = yield* conditionsOf(inventory, query)
  const operation = `listing ${registry[model].path}`
  const rows = yield* inventory.rows(model)
  if (page._tag === 'cursor') {
    const from = { where: sql`t.id >= ${page.start}::bigint`, columns: [] }
    const ids = pageIds(rows.view(fieldsOf(conditions)), [...conditions, from], [], { limit: page.limit, offset: 0 })
    return { count: null, rows: yield* pageRows<M>(inventory, operation, rows, ids) }
  }
  const counted = countedOf(query, yield* foldingFor(inventory, query))
  const source = counted === null ? null : sourceOf(counted, rows)
  if (counted !== null && source !== null && walksLevels(query)) {
    const ids = walkedIds({ ...counted, ...page, source, view: rows.view(walkedFields(counted)) })
    const { query: served, read } = servedRows<M>(rows.view('all'), ids, { more: [sql.id('total')] })
    const found = yield* inventory.database.query(operation, async (db) => (await served.execute(db)).rows)
    // A page with rows tells how many there are; the one behind the last row has to ask.
    const [any] = found
    if (any !== undefined) return { count: totalOf(any), rows: found.map(read) }
  }
  const counting = source === null ? countOf(rows.view(fieldsOf(conditions)), conditions) : countOfLevels(source)
  const count = yield* inventory.database.query(
    operation,
    async (db) => (await counting.execute(db)).rows[0]?.count ?? 0,
  )
  if (page.offset >= count) return { count, rows: [] }
  const ids = orderedIds(rows, conditions, listOrder(model, query.order), page)
  return { count, rows: yield* pageRows<M>(inventory, operation, rows, ids) }
})

/** The count that came with a row of a walk. */
const totalOf = (row: object): number => (row as { readonly total: number }).total // border: the query of ids has it

const streamRows = Effect.fn('InventoryLists.stream')(function* <M extends ModelName, A, E, R>(
  inventory: Readable,
  query: WholeList<M>,
  make: (rows: ReadonlyArray<RowInPart<M>>) => Effect.Effect<A, E, R>,
) {
  const { model } = query
  const conditions = yield* conditionsOf(inventory, query)
  const rows = yield* inventory.rows(model)
  const order = listOrder(model, query.order)
  const operation = `listing ${registry[model].path}`
  return streamList({
    ...{
      database: inventory.database,
      operation,
      conditions,
      order,
      servers: rows.servers,
      rowsAtOnce: query.rowsAtOnce,
    },
    view: rows.view(fieldsOf(conditions, order)),
    // No counter leads to the rows: they are read in their order, and those that match are kept.
    mayScan:
      mayScan({ ...query, page: { _tag: 'offset', limit: 1, offset: 0 } }) ||
      (large.has(model) && query.filters.some((filter) => !isOfKey(filter) && !namesRows(filter))),
    byServer: large.has(model) && order[0]?.column.needs.includes('v') === true && !order[0].descending,
    rows: (ids) => pageRows<M>(inventory, operation, rows, ids, query.columns),
    make,
  })
})

/** The collation that the filters and the search of a query need. */
const foldingFor = (
  { folding }: Readable,
  { filters, search }: Pick<ListQuery, 'filters' | 'search'>,
): Effect.Effect<string | null, StoreFailed> =>
  search !== null || filters.some(needsFolding) ? folding : Effect.succeed(null)

/** The conditions of the filters of a query, and of its search. */
const conditionsOf = Effect.fn('InventoryLists.conditions')(function* (
  inventory: Readable,
  { model, filters, search }: Pick<ListQuery, 'model' | 'filters' | 'search'>,
) {
  const known = yield* foldingFor(inventory, { filters, search })
  const conditions: Array<Condition> = filters.map((filter) => filterCondition(model, filter, known))
  if (search !== null && search !== '') conditions.push(searchCondition(model, search, known))
  return conditions
})

/** What counters tell of a query; null: they do not tell how many rows match. */
const countedOf = (query: ListQuery, folding: string | null): Counted | null =>
  countsByLevels(query)
    ? { model: query.model === 'group' ? 'group' : 'snapshot', filters: query.filters, search: query.search, folding }
    : null

const orderedIds = (
  rows: Rows,
  conditions: ReadonlyArray<Condition>,
  order: ReadonlyArray<OrderKey>,
  page: { readonly limit: number; readonly offset: number },
): RawBuilder<unknown> => pageIds(rows.view(fieldsOf(conditions, order)), conditions, order, page)

const fieldsOf = (conditions: ReadonlyArray<Condition>, order: ReadonlyArray<OrderKey> = []): ReadonlyArray<string> =>
  [...conditions.flatMap(({ columns }) => columns), ...order.map(({ column }) => column)].flatMap(({ reads }) => reads)

/** The rows that a query of ids finds, in its order. */
function pageRows<M extends ModelName>(
  { database }: Readable,
  operation: string,
  { view }: Rows,
  ids: RawBuilder<unknown>,
  columns: ReadonlySet<string> | null = null,
): Effect.Effect<ServedPage<M>['rows'], StoreFailed> {
  return database.query(operation, async (db) => {
    const { query, read } = servedRows<M>(view('all'), ids, { columns })
    return (await query.execute(db)).rows.map(read)
  })
}

/**
 * The page's ids and their places, with only the joins that conditions and order need. Each part of
 * the view gives as many sorted rows as the page may need, from an index where one fits, and these
 * are merged; where servers come first, main's rows are read server by server in the order of the
 * key.
 */
function pageIds(
  view: ListView,
  conditions: ReadonlyArray<Condition>,
  order: ReadonlyArray<OrderKey>,
  { limit, offset }: Slice,
): RawBuilder<unknown> {
  const [first, ...then] = order
  const all = first !== undefined && !isIndexed(first.column)
  const question = { conditions, columns: order.map(({ column }) => column), all }
  const byServer = first?.column.needs.includes('v') === true
  const [main, ...others] = partsOf(byServer ? { ...view, main: ofOneServer(view.main) } : view, question)
  // The number is added outside, so that the limit inside sorts only the rows that it keeps.
  const numbered = (ids: RawBuilder<unknown>) => sql`select id, row_number() over () as place from (${ids}) ordered`
  if (others.length === 0 && !byServer) {
    return numbered(sql`select t.id ${main} order by ${sortedRows(order)} limit ${limit} offset ${offset}`)
  }
  const keys = sql.join([sql`t.id`, ...order.map(({ column }, nth) => sql`${column.value} as ${keyName(nth)}`)])
  const head = (part: RawBuilder<unknown> | undefined, by = order) =>
    sql`(select ${keys} ${part} order by ${sortedRows(by)} limit ${offset + limit})`
  const ofMain = byServer
    ? sql`(select rows.* from ${view.main.servers} one cross join lateral ${head(main, then)} rows)`
    : head(main)
  return numbered(sql`
    select id from (${sql.join([ofMain, ...others.map((part) => head(part))], sql` union all `)}) heads
    order by ${sorted(order, (_, nth) => keyName(nth), sql`id`)} limit ${limit} offset ${offset}`)
}

/** The rows of the server `one` alone. */
const ofOneServer = (relation: Relation): Relation => ({ ...relation, servers: sql`(select one.id, one.name)` })

const sortedRows = (order: ReadonlyArray<OrderKey>): RawBuilder<unknown> =>
  sorted(order, ({ column }) => column.value, sql`t.id`)

const keyName = (nth: number): RawBuilder<unknown> => sql.id(`k${nth}`)

const sorted = (
  order: ReadonlyArray<OrderKey>,
  value: (key: OrderKey, nth: number) => RawBuilder<unknown>,
  id: RawBuilder<unknown>,
): RawBuilder<unknown> =>
  sql.join([...order.map((key, nth) => sql`${value(key, nth)} ${sql.raw(key.descending ? 'desc' : 'asc')}`), id])
