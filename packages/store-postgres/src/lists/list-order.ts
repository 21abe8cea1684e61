import { type ModelName, type OrderTerm, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type ListColumn, listColumn, serverName } from './list-columns.ts'

/** An order, with the columns it reads. */
export interface Order {
  readonly by: RawBuilder<unknown>
  readonly columns: ReadonlyArray<ListColumn>
}

/**
 * The order of the terms, or the model's own; id decides between equals. A server counts by its name. PostgreSQL's own rule for rows without a value is the one
 * wanted: last when ascending, first when descending.
 */
export function listOrder(model: ModelName, terms: ReadonlyArray<OrderTerm>): Order {
  const wanted = terms.length > 0 ? terms : registry[model].order.map(orderTerm)
  const keys = wanted.flatMap(({ field, descending }) => {
    const column = field === 'server' ? serverName(model) : listColumn(model, field)
    return column === undefined ? [] : [{ column, descending }]
  })
  const by = keys.map(({ column, descending }) => sql`${column.value} ${sql.raw(descending ? 'desc' : 'asc')}`)
  return { by: sql.join([...by, sql`t.id`]), columns: keys.map(({ column }) => column) }
}

function orderTerm(text: string): OrderTerm {
  return text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false }
}
