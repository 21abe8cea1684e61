import type { JsonValue, ModelName } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'
import { parseTimestamptz } from '../database/type-parsers.ts'
import { fieldOf } from '../tables/columns.ts'
import { servedColumns } from './list-columns.ts'
import { type ListView, partsOf } from './list-view.ts'

/** A query of rows as they are served, and the reader of its answer. */
interface ServedRows<M extends ModelName> {
  readonly query: RawBuilder<StoredRow>
  readonly read: (row: StoredRow) => ServedRow<M>
}

/** A row in one value, with the further columns that were asked for. */
interface StoredRow {
  readonly served: ReadonlyArray<JsonValue>
}

interface WhatToRead {
  /** Names of the columns that each row shall have, apart from its id; null: all. */
  readonly columns?: ReadonlySet<string> | null
  /** Further columns of the query of ids. */
  readonly more?: ReadonlyArray<RawBuilder<unknown>>
}

/**
 * The rows whose `id` a query selects, in the order of its `place`. Each is one array of JSON: a
 * driver makes thirty values of thirty columns in four times the time that it takes to parse that.
 */
export function servedRows<M extends ModelName>(
  view: ListView,
  ids: RawBuilder<unknown>,
  { columns: chosen = null, more = [] }: WhatToRead = {},
): ServedRows<M> {
  const columns = servedColumns(view.model).filter(([name]) => name === 'id' || chosen === null || chosen.has(name))
  const names = columns.map(([name]) => name)
  const times = names.map((name) => isTime(view.model, name))
  // A copy has the place of every value at once; an empty object would grow nine times.
  const blank = Object.fromEntries(names.map((name) => [name, null]))
  const parts = partsOf(view, { columns: columns.map(([, column]) => column), onPage: true })
  const list = sql.join([...more, ...columns.map(([name, { value }]) => sql`${value} as ${sql.id(name)}`)])
  const rows = parts.map((part) => sql`select page.place, ${list} ${part}`)
  // A time as the readers of columns expect it: JSON has another spelling.
  const values = names.map((name, nth) => (times[nth] === true ? sql`${sql.id(name)}::text` : sql.id(name)))
  return {
    query: sql`
    with page as materialized (${ids})
    select ${sql.join([...more, sql`json_build_array(${sql.join(values)}) as served`])} from (${sql.join(rows, sql` union all `)}) served
    order by place`,
    read: ({ served }) => {
      const row: Record<string, unknown> = { ...blank }
      for (let nth = 0; nth < names.length; nth += 1) {
        const value = served[nth] ?? null
        row[names[nth] ?? ''] = times[nth] === true && typeof value === 'string' ? parseTimestamptz(value) : value
      }
      return row as ServedRow<M> // border: the columns have the names and types of the registry's fields
    },
  }
}

const isTime = (model: ModelName, name: string): boolean =>
  name === 'created' || name === 'last_updated' || fieldOf(model, name)?.type === 'datetime'
