import { type Filter, type ListQuery, type ModelName, type OrderTerm, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import { isIndexed, type ListColumn, listColumn, listFrom, type Relation, serverName } from './list-columns.ts'
import { type Condition, filterCondition, type ListView, partsOf, where } from './list-view.ts'

/** A sort key; of two rows that agree in all of them the id decides. */
export interface OrderKey {
  readonly column: ListColumn
  readonly descending: boolean
}

/**
 * The order of the terms, or the model's own; a server sorts by its name. Rows without a value come
 * as PostgreSQL places them: last when ascending, first when descending.
 */
export function listOrder(model: ModelName, terms: ReadonlyArray<OrderTerm>): ReadonlyArray<OrderKey> {
  const requested = terms.length > 0 ? terms : registry[model].order.map(orderTerm)
  return requested.flatMap(({ field, descending }) => {
    const column = field === 'server' ? serverName(model) : listColumn(model, field)
    return column === undefined ? [] : [{ column, descending }]
  })
}

function orderTerm(text: string): OrderTerm {
  return text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false }
}

/** Which rows of an ordered list. */
interface Slice {
  readonly limit: number
  readonly offset: number
}

/**
 * The page's ids and their places, with only the joins that conditions and order need. Each part of
 * the view gives as many sorted rows as the page may need, from an index where one fits, and these
 * are merged; where servers come first, main's rows are read server by server in the order of the
 * key.
 */
export function pageIds(
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

const groupKey = keyColumns('group')

/** The fields of a query of snapshots that decide whether the keys of their groups answer it. */
type Walkable = Pick<ListQuery, 'model' | 'filters' | 'search' | 'order'>

/** Whether the groups' counters know how many snapshots match: nothing but columns of the group's key is asked for. */
export function countsByGroups({ model, filters, search }: Walkable): boolean {
  const names: ReadonlyArray<string> = registry.group.key
  return (
    model === 'snapshot' &&
    (search === null || search === '') &&
    filters.every(({ field, lookup }) => lookup === 'exact' && names.includes(field))
  )
}

/** Whether a page has the order of the groups too, and so is found by walking them. */
export const walksGroups = (query: Walkable): boolean => query.order.length === 0 && countsByGroups(query)

/**
 * How many snapshots match, by the counters of their groups: the relation's rows are groups by
 * their key with `snapshot_count`.
 */
export const countOfGroups = (
  groups: Relation,
  filters: ReadonlyArray<Filter>,
): RawBuilder<{ readonly count: number }> =>
  sql`select coalesce(sum(t.snapshot_count), 0)::bigint as count ${groupsFrom(groups, filters)}`

function groupsFrom(
  groups: Relation,
  filters: ReadonlyArray<Filter>,
  columns: ReadonlyArray<ListColumn> = [],
): RawBuilder<unknown> {
  const conditions = filters.map((filter) => filterCondition('group', filter).where)
  return sql`${listFrom('group', columns, groups)} ${where([...conditions, ...groups.seen])}`
}

/**
 * The ids of a page in the model's own order, and their places: the groups are walked in their
 * order, adding up their counters, and only the snapshots of those that the page touches are read,
 * newest first.
 */
export function walkedIds(
  snapshots: ListView,
  groups: Relation,
  filters: ReadonlyArray<Filter>,
  { limit, offset }: Slice,
): RawBuilder<unknown> {
  const inGroup = { where: sameKey('group', 't', 'w'), columns: [] }
  const ofGroup = partsOf(snapshots, { conditions: [inGroup] }).map((part) => sql`select t.id, t.backup_time ${part}`)
  return sql`
    select id, row_number() over () as place from (
      select s.id from (
        select ${columnNames(groupKey, 't')}, t.snapshot_count,
          (sum(t.snapshot_count) over (order by v.name, ${columnNames(groupKey, 't')} rows unbounded preceding) - t.snapshot_count)::bigint as before
        ${groupsFrom(groups, filters, [serverName('group')])}
      ) w
      cross join lateral (
        select s.id, row_number() over (order by s.backup_time desc) as nth from (${sql.join(ofGroup, sql` union all `)}) s
      ) s
      where w.before < ${offset + limit}::bigint and w.before + w.snapshot_count > ${offset}::bigint
        and w.before + s.nth > ${offset}::bigint and w.before + s.nth <= ${offset + limit}::bigint
      order by w.before, s.nth limit ${limit}
    ) ordered`
}
