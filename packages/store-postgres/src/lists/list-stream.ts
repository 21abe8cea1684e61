import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Option, Stream } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { isIndexed } from './list-columns.ts'
import type { OrderKey } from './list-order.ts'
import { type Condition, type ListView, partsOf } from './list-view.ts'

/** A list to be read from its first row to its last. */
interface StreamedList<Row, A, E, R> {
  readonly database: Database['Type']
  /** What is done, as a sentence's subject. */
  readonly operation: string
  readonly view: ListView
  /** Servers by `id` and `name`. */
  readonly servers: RawBuilder<unknown>
  readonly conditions: ReadonlyArray<Condition>
  readonly order: ReadonlyArray<OrderKey>
  /** Each statement may read a whole table. */
  readonly mayScan: boolean
  /** The list is too large to be sorted by its servers' names: it is read server by server. */
  readonly byServer: boolean
  /** Rows that one statement reads at most; undefined: as many as are fast. */
  readonly rowsAtOnce: number | undefined
  readonly rows: (ids: RawBuilder<unknown>) => Effect.Effect<ReadonlyArray<Row>, StoreFailed>
  /** What is made of the rows of one statement. */
  readonly make: (rows: ReadonlyArray<Row>) => Effect.Effect<A, E, R>
}

/** A list of which one statement runs at a time. */
interface Reading extends Omit<StreamedList<never, never, never, never>, 'rows' | 'make'> {
  readonly turn: <A, E>(statement: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** Rows of one statement: in JSON they are less than a megabyte. */
const usualRows = 1000

/** Ids of one statement: where an index gives their order, and where each statement sorts all rows. */
const idsAtOnce = { indexed: 5000, sorted: 50_000 } as const

/** The sort keys of a row as text, and its id. */
interface Position {
  readonly keys: ReadonlyArray<string | null>
  readonly id: number
}

/**
 * Reads a list by its sort keys: a statement finds the ids that follow the last one, others read
 * their rows. A row that was deleted in between is left out. While something is made of rows, the
 * next ones are read.
 */
export const streamList = <Row, A, E, R>({
  rows,
  make,
  ...list
}: StreamedList<Row, A, E, R>): Stream.Stream<A, E | StoreFailed, R> =>
  Stream.unwrap(
    Effect.map(Effect.makeSemaphore(1), (semaphore) => {
      const turn: Reading['turn'] = semaphore.withPermits(1)
      return idsOfList({ ...list, turn }).pipe(
        Stream.rechunk(list.rowsAtOnce ?? usualRows),
        Stream.chunks,
        Stream.mapEffect(
          (chunk) => {
            const page = sql`select u.id, u.place from unnest(${[...chunk]}::bigint[]) with ordinality u (id, place)`
            return Effect.flatMap(turn(rows(page)), make)
          },
          { concurrency: 2 },
        ),
      )
    }),
  )

function idsOfList(list: Reading): Stream.Stream<number, StoreFailed> {
  if (!list.byServer) return idsOf(list, list.order)
  const [, ...keysOfServer] = list.order
  return Stream.flatMap(serversOf(list), (server) =>
    idsOf(list, keysOfServer, { where: sql`t.server_id = ${server}::bigint`, columns: [] }),
  )
}

/** The servers in the order of their names. */
const serversOf = ({ database, operation, servers }: Reading): Stream.Stream<number, StoreFailed> =>
  Stream.fromIterableEffect(
    database.query(operation, async (db) => {
      const { rows } = await sql<{ id: number }>`select v.id from ${servers} v order by v.name`.execute(db)
      return rows.map(({ id }) => id)
    }),
  )

function idsOf(
  { database, operation, view, conditions, mayScan, rowsAtOnce, turn }: Reading,
  order: ReadonlyArray<OrderKey>,
  more?: Condition,
): Stream.Stream<number, StoreFailed> {
  const [first] = order
  const sorts = more === undefined && first !== undefined && !isIndexed(first.column)
  const limit = rowsAtOnce ?? (sorts ? idsAtOnce.sorted : idsAtOnce.indexed)
  const which = more === undefined ? conditions : [...conditions, more]
  const read = (after: Position | null) => {
    const statement = idsAfter({ view, conditions: which, order, all: sorts }, after, limit)
    const found = database.query(operation, async (db) => (await statement.execute(db)).rows)
    return turn(mayScan ? database.scan(operation, found) : found)
  }
  return Stream.paginateChunkEffect<Position | null, number, StoreFailed, never>(null, (after) =>
    Effect.map(read(after), (rows) => {
      const last = rows.at(-1)
      const next = last?.keys == null ? Option.none() : Option.some({ id: last.id, keys: last.keys })
      return [Chunk.unsafeFromArray(rows.map(({ id }) => id)), next] as const
    }),
  )
}

/** Where the ids of a statement come from. */
interface Ids {
  readonly view: ListView
  readonly conditions: ReadonlyArray<Condition>
  readonly order: ReadonlyArray<OrderKey>
  /** All rows are read, to be sorted. */
  readonly all: boolean
}

/** The ids that follow a position; the last one of a full answer with its sort keys, where the next begins. */
function idsAfter(
  { view, conditions, order, all }: Ids,
  after: Position | null,
  limit: number,
): RawBuilder<{ readonly id: number; readonly keys: ReadonlyArray<string | null> | null }> {
  const columns = order.map(({ column }) => column)
  const begin = after === null ? [] : [{ where: follows(order, after), columns }]
  const parts = partsOf(view, { conditions: [...conditions, ...begin], columns, all })
  const keys = order.map(({ column }, nth) => sql`${column.value} as ${keyName(nth)}`)
  const sorted = (value: (key: OrderKey, nth: number) => RawBuilder<unknown>, id: RawBuilder<unknown>) =>
    sql.join([...order.map((key, nth) => sql`${value(key, nth)} ${sql.raw(key.descending ? 'desc' : 'asc')}`), id])
  const heads = parts.map(
    (part) =>
      sql`(select ${sql.join([sql`t.id`, ...keys])} ${part} order by ${sorted(({ column }) => column.value, sql`t.id`)} limit ${limit})`,
  )
  const texts = sql.join(
    order.map((_, nth) => sql`${keyName(nth)}::text`),
    sql`, `,
  )
  return sql`
    select id, case when place = ${limit} then array[${texts}]::text[] end as keys from (
      select *, row_number() over () as place from (
        select * from (${sql.join(heads, sql` union all `)}) heads order by ${sorted((_, nth) => keyName(nth), sql`id`)} limit ${limit}
      ) ordered
    ) numbered`
}

const keyName = (nth: number): RawBuilder<unknown> => sql.id(`k${nth}`)

/**
 * Whether a row follows a position: it is greater in the first sort key in which they differ. Rows
 * without a value come last when ascending, first when descending, as PostgreSQL sorts them.
 */
function follows(order: ReadonlyArray<OrderKey>, { keys, id }: Position): RawBuilder<unknown> {
  const values = order.map(({ type }, nth) => sql`${keys[nth] ?? null}::${sql.raw(type)}`)
  const beyond = order.map((key, nth) => sql.join([...order.slice(0, nth).map(same), greater(key, nth)], sql` and `))
  const byId = sql.join([...order.map(same), sql`t.id > ${id}::bigint`], sql` and `)
  return sql.join([...bound(), sql`((${sql.join([...beyond, byId], sql`) or (`)}))`], sql` and `)

  function same({ column: { value } }: OrderKey, nth: number): RawBuilder<unknown> {
    return (keys[nth] ?? null) === null ? sql`${value} is null` : sql`${value} = ${values[nth]}`
  }
  function greater({ column: { value }, descending, nullable }: OrderKey, nth: number): RawBuilder<unknown> {
    const isNull = (keys[nth] ?? null) === null
    if (descending) return isNull ? sql`${value} is not null` : sql`${value} < ${values[nth]}`
    if (isNull) return sql`false`
    return nullable ? sql`(${value} > ${values[nth]} or ${value} is null)` : sql`${value} > ${values[nth]}`
  }
  /** Follows from the condition, and is one that an index can begin with. */
  function bound(): ReadonlyArray<RawBuilder<unknown>> {
    const [first] = order
    if (first === undefined || first.nullable) return []
    const other = order.findIndex(({ descending, nullable }) => nullable || descending !== first.descending)
    const length = other === -1 ? order.length : other
    const row = (of: ReadonlyArray<RawBuilder<unknown>>) => sql`(${sql.join(of.slice(0, length))})`
    const operator = sql.raw(first.descending ? '<=' : '>=')
    return [sql`${row(order.map(({ column }) => column.value))} ${operator} ${row(values)}`]
  }
}
