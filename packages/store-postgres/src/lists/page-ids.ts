import { type RawBuilder, sql } from 'kysely'
import { isIndexed } from './list-columns.ts'
import type { Condition } from './list-filter.ts'
import type { OrderKey } from './list-order.ts'
import { partsOf, type View } from './view.ts'

/** Which rows of an ordered list. */
export interface Slice {
  readonly limit: number
  readonly offset: number
}

/**
 * The page's ids and their places, with no joins but those that conditions and order read. Of each part of the view come as many rows as the page may need, in its
 * order, so that an index may give them; merging them is all that is left.
 */
export function pageIds(
  view: View,
  conditions: ReadonlyArray<Condition>,
  order: ReadonlyArray<OrderKey>,
  { limit, offset }: Slice,
): RawBuilder<unknown> {
  const columns = order.map(({ column }) => column)
  const parts = partsOf(view, { conditions, columns, all: columns[0] !== undefined && !isIndexed(columns[0]) })
  const [main] = parts
  const by = sorted(order, ({ column }) => column.value, sql`t.id`)
  // Numbered outside, so that the limit inside may sort no more rows than it keeps.
  const numbered = (ids: RawBuilder<unknown>) => sql`select id, row_number() over () as place from (${ids}) ordered`
  if (parts.length === 1) return numbered(sql`select t.id ${main} order by ${by} limit ${limit} offset ${offset}`)
  const keys = sql.join([sql`t.id`, ...order.map(({ column }, nth) => sql`${column.value} as ${keyName(nth)}`)])
  const heads = parts.map((part) => sql`(select ${keys} ${part} order by ${by} limit ${offset + limit})`)
  return numbered(sql`
    select id from (${sql.join(heads, sql` union all `)}) heads
    order by ${sorted(order, (_, nth) => keyName(nth), sql`id`)} limit ${limit} offset ${offset}`)
}

const keyName = (nth: number): RawBuilder<unknown> => sql.id(`k${nth}`)

const sorted = (
  order: ReadonlyArray<OrderKey>,
  value: (key: OrderKey, nth: number) => RawBuilder<unknown>,
  id: RawBuilder<unknown>,
): RawBuilder<unknown> =>
  sql.join([...order.map((key, nth) => sql`${value(key, nth)} ${sql.raw(key.descending ? 'desc' : 'asc')}`), id])
