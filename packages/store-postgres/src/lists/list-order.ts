import { type ModelName, type OrderTerm, registry } from '@netbox-pbs/core'
import { fieldOf, sqlType } from '../tables/columns.ts'
import { type ListColumn, listColumn, serverName } from './list-columns.ts'
import { severityOf } from './protection-columns.ts'

/** A sort key; of two rows that agree in all of them the id decides. */
export interface OrderKey {
  readonly column: ListColumn
  readonly descending: boolean
  /** The type of its values in SQL. */
  readonly type: string
  /** A row may have no value. */
  readonly nullable: boolean
}

/**
 * The order of the terms, or the model's own; a server sorts by its name. Rows without a value come
 * as PostgreSQL places them: last when ascending, first when descending. Protection is ordered by
 * severity, the worst first.
 */
export function listOrder(model: ModelName, terms: ReadonlyArray<OrderTerm>): ReadonlyArray<OrderKey> {
  const requested = terms.length > 0 ? terms : registry[model].order.map(orderTerm)
  return requested.flatMap(({ field, descending }) => {
    const column = field === 'server' ? serverName(model) : listColumn(model, field)
    if (column === undefined) return []
    if (model === 'group' && field === 'protection')
      return [{ column: { ...column, value: severityOf(column.value) }, descending, type: 'integer', nullable: false }]
    return [{ column, descending, ...valuesOf(model, field) }]
  })
}

/** The values of a field, as a sort key. */
function valuesOf(model: ModelName, name: string): Pick<OrderKey, 'type' | 'nullable'> {
  if (name === 'server') return { type: 'text', nullable: false }
  const field = fieldOf(model, name)
  if (field === undefined) return { type: name === 'id' ? 'bigint' : 'timestamptz', nullable: false }
  const isFact = field.class === 'key' || field.class === 'immutable'
  return { type: sqlType(field), nullable: !isFact || field.nullable === true }
}

function orderTerm(text: string): OrderTerm {
  return text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false }
}
