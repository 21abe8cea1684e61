import { type ListQuery, type ModelName, registry } from '@netbox-pbs/core'
import { InventoryLists, type ServedPage, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { tables } from '../inventory/columns.ts'
import { foldingCollation } from './folding-collation.ts'
import { listFrom } from './list-columns.ts'
import { type Condition, filterCondition, where } from './list-filter.ts'
import { listOrder } from './list-order.ts'
import { searchCondition } from './list-search.ts'
import { selectServed, servedRow } from './served-row.ts'
import { countOfGroups, countsByGroups, walkedIds, walksGroups } from './snapshot-walk.ts'

/** Lists and details straight from the tables. */
export const inventoryListsLayer: Layer.Layer<InventoryLists, never, Database> = Layer.effect(
  InventoryLists,
  Effect.gen(function* () {
    const database = yield* Database
    // Asked once, when the first search needs it.
    const folding = yield* Effect.cached(database.query('reading the collations', foldingCollation))

    return InventoryLists.of({
      list: (query) => listRows(database, folding, query),
      get: Effect.fn('InventoryLists.get')(
        <M extends ModelName>({ model, id }: { readonly model: M; readonly id: number }) =>
          database.query(`reading a ${model}`, async (db) => {
            if (!Number.isSafeInteger(id)) return Option.none()
            const { rows } = await sql<object>`${selectServed(model)} where t.id = ${id}::bigint`.execute(db)
            return Option.map(Option.fromNullable(rows[0]), servedRow<M>)
          }),
      ),
      serverIds: Effect.fn('InventoryLists.serverIds')(({ names }) =>
        database.query('reading servers', async (db) => {
          const { rows } = await sql<{ name: string; id: number }>`
            select name, id from servers where name = any(${names.filter((name) => !name.includes('\0'))}::text[])`.execute(
            db,
          )
          return new Map(rows.map(({ name, id }) => [name, id]))
        }),
      ),
      existing: Effect.fn('InventoryLists.existing')(({ model, ids }) =>
        database.query(`reading ${registry[model].path}`, async (db) => {
          const { rows } = await sql<{ id: number }>`
            select id from ${sql.table(tables[model])} where id = any(${ids.filter(Number.isSafeInteger)}::bigint[])`.execute(
            db,
          )
          return new Set(rows.map(({ id }) => id))
        }),
      ),
    })
  }),
)

const listRows = Effect.fn('InventoryLists.list')(function* <M extends ModelName>(
  database: Database['Type'],
  folding: Effect.Effect<string | null, StoreFailed>,
  query: ListQuery<M>,
): Effect.fn.Return<ServedPage<M>, StoreFailed> {
  const { model, filters, search, order, page } = query
  const conditions: Array<Condition> = filters.map((filter) => filterCondition(model, filter))
  if (search !== null && search !== '') conditions.push(searchCondition(model, search, yield* folding))
  const doing = `listing ${registry[model].path}`
  if (page._tag === 'cursor') {
    conditions.push({ where: sql`t.id >= ${page.start}::bigint`, columns: [] })
    const ids = pageIds(model, conditions, { by: sql`t.id`, columns: [] }, sql`limit ${page.limit}`)
    return { count: null, rows: yield* pageRows(database, doing, model, ids) }
  }
  const counting = countsByGroups(query)
    ? countOfGroups(filters)
    : sql<{ count: number }>`select count(*) as count ${from(model, conditions)} ${where(conditions)}`
  const count = yield* database.query(doing, async (db) => (await counting.execute(db)).rows[0]?.count ?? 0)
  if (page.offset >= count) return { count, rows: [] }
  const ids = walksGroups(query)
    ? walkedIds(filters, page)
    : pageIds(model, conditions, listOrder(model, order), sql`limit ${page.limit} offset ${page.offset}`)
  return { count, rows: yield* pageRows(database, doing, model, ids) }
})

/** The page's ids and their places, with no joins but those that conditions and order read. */
function pageIds(
  model: ModelName,
  conditions: ReadonlyArray<Condition>,
  order: ReturnType<typeof listOrder>,
  page: RawBuilder<unknown>,
): RawBuilder<unknown> {
  // Numbered outside, so that the limit inside may sort no more rows than it keeps.
  return sql`select id, row_number() over () as place from (
    select t.id ${from(model, [...conditions, order])} ${where(conditions)} order by ${order.by} ${page}
  ) ordered`
}

/** The rows of a page, in its order. */
function pageRows<M extends ModelName>(
  database: Database['Type'],
  doing: string,
  model: M,
  ids: RawBuilder<unknown>,
): Effect.Effect<ServedPage<M>['rows'], StoreFailed> {
  return database.query(doing, async (db) => {
    const { rows } = await sql<object>`
      with page as materialized (${ids}) ${selectServed(model)} join page on page.id = t.id order by page.place`.execute(
      db,
    )
    return rows.map((row) => servedRow<M>(row))
  })
}

const from = (model: ModelName, parts: ReadonlyArray<Pick<Condition, 'columns'>>): RawBuilder<unknown> =>
  listFrom(
    model,
    parts.flatMap(({ columns }) => columns),
  )
