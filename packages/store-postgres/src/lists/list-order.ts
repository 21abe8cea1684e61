import { type ModelName, type OrderTerm, registry } from '@netbox-pbs/core'
import { type ListColumn, listColumn, serverName } from './list-columns.ts'

/** A sort key; of two rows that agree in all of them the id decides. */
export interface OrderKey {
  readonly column: ListColumn
  readonly descending: boolean
}

/**
 * The order of the terms, or the model's own. A server counts by its name. PostgreSQL's own rule
 * for rows without a value is the one wanted: last when ascending, first when descending.
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
