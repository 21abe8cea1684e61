import { type ListQuery, type ModelName, registry } from '@netbox-pbs/core'
import { InventoryLists, type ServedPage, type ServedRow, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { isIndexed, mainRelation, type Relation, servedColumns } from './list-columns.ts'
import {
  type Condition,
  countOf,
  filterCondition,
  type ListView,
  mainListView,
  partsOf,
  searchCondition,
} from './list-view.ts'
import { countOfGroups, countsByGroups, listOrder, type OrderKey, pageIds, walkedIds, walksGroups } from './page-ids.ts'

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
  countedGroups: mainRelation('group'),
  servers: sql`servers`,
})

/** The way to read the rows of a model: in main, or in a branch. */
export interface Rows {
  /** Whole rows, or as much of them as a query needs that looks at these fields alone. */
  readonly view: (fields: ReadonlyArray<string> | 'all') => ListView
  /** Groups by their key with how many snapshots each has. */
  readonly countedGroups: Relation
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

/** Lists and details of an inventory. */
export const listsOf = (inventory: Readable): InventoryLists['Type'] => ({
  list: (query) => listRows(inventory, query),
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
function mayScan(query: ListQuery): boolean {
  const { model, filters, search, order, page } = query
  if (search !== null && search !== '') return true
  if (!large.has(model) || walksGroups(query)) return false
  const ordered = order.length > 0 && page._tag === 'offset'
  const [first] = listOrder(model, order)
  if (ordered && first !== undefined && !isIndexed(first.column)) return true
  return filters.length > 0 && !(page._tag === 'offset' && countsByGroups(query))
}

const readPage = Effect.fn('InventoryLists.page')(function* <M extends ModelName>(
  inventory: Readable,
  query: ListQuery<M>,
): Effect.fn.Return<ServedPage<M>, StoreFailed> {
  const { model, filters, search, page } = query
  const conditions: Array<Condition> = filters.map((filter) => filterCondition(model, filter))
  if (search !== null && search !== '') conditions.push(searchCondition(model, search, yield* inventory.folding))
  const operation = `listing ${registry[model].path}`
  const rows = yield* inventory.rows(model)
  if (page._tag === 'cursor') {
    const from = { where: sql`t.id >= ${page.start}::bigint`, columns: [] }
    const ids = pageIds(rows.view(fieldsOf(conditions)), [...conditions, from], [], { limit: page.limit, offset: 0 })
    return { count: null, rows: yield* pageRows<M>(inventory, operation, rows, ids) }
  }
  const counting = countsByGroups(query)
    ? countOfGroups(rows.countedGroups, filters)
    : countOf(rows.view(fieldsOf(conditions)), conditions)
  const count = yield* inventory.database.query(
    operation,
    async (db) => (await counting.execute(db)).rows[0]?.count ?? 0,
  )
  if (page.offset >= count) return { count, rows: [] }
  const ids = walksGroups(query)
    ? walkedIds(rows.view(registry.snapshot.key), rows.countedGroups, filters, page)
    : orderedIds(rows, conditions, listOrder(model, query.order), page)
  return { count, rows: yield* pageRows<M>(inventory, operation, rows, ids) }
})

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
): Effect.Effect<ServedPage<M>['rows'], StoreFailed> {
  return database.query(operation, async (db) => {
    const { rows } = await selectServed(view('all'), ids).execute(db)
    return rows.map((row) => servedRow<M>(row))
  })
}

/**
 * Rows with all their columns, as `servedRow` reads them: those whose `id` the query selects, in
 * the order of its `place`.
 */
function selectServed(view: ListView, ids: RawBuilder<unknown>): RawBuilder<object> {
  const columns = servedColumns(view.model)
  const names = sql.join(columns.map(([name]) => sql.id(name)))
  const list = sql.join(columns.map(([name, { value }]) => sql`${value} as ${sql.id(name)}`))
  const parts = partsOf(view, {
    columns: columns.map(([, column]) => column),
    onPage: true,
  })
  const rows = parts.map((part) => sql`select page.place, ${list} ${part}`)
  return sql<object>`
    with page as materialized (${ids}) select ${names} from (${sql.join(rows, sql` union all `)}) served order by place`
}

/**
 * The mapper of a row as served: the columns already have the names and values of the port, whose
 * fields are the registry's as the columns are.
 */
const servedRow = <M extends ModelName>(row: object): ServedRow<M> => row as ServedRow<M>

/**
 * The built-in collation of PostgreSQL 17, ICU's root, and the old names of UTF-8 without a
 * language: the best first.
 */
const candidates = ['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'en_US.utf8']

/**
 * A collation under which case is ignored for all letters, not only those of ASCII; null: the
 * server has none, and the database's own must do.
 */
async function foldingCollation(db: Kysely<Tables>): Promise<string | null> {
  const { rows } = await sql<{ collname: string }>`
    select collname from pg_collation
    where collname = any(${candidates}::text[]) and collencoding in (-1, pg_char_to_encoding('UTF8'))
    order by array_position(${candidates}::text[], collname::text) limit 1`.execute(db)
  return rows[0]?.collname ?? null
}

/** The same, asked for once: when the first search needs it. */
export const foldingOf = (database: Database['Type']): Effect.Effect<Effect.Effect<string | null, StoreFailed>> =>
  Effect.cached(database.query('reading the collations', foldingCollation))
