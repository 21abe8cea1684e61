import type { FieldValue, ModelName } from '@netbox-pbs/core'
import type { EditValues, WritableModel } from '@netbox-pbs/core/ports'
import { type Column, defaultValue, editedColumns, factColumns, observedColumns } from '../tables/columns.ts'

/** The row's own note of when it was last seen. A server's is among its observations instead. */
const lastSeen: Column = { field: 'last_seen_at', name: 'last_seen_own', type: 'timestamptz' }

/** Columns of the model's own table that a user may write. */
export const writtenColumns = (model: WritableModel): ReadonlyArray<Column> => [
  ...editedColumns(model),
  ...(model === 'server' ? [] : [lastSeen]),
]

/** Those of them that are named in the values. */
export const givenColumns = (columns: ReadonlyArray<Column>, values: EditValues): ReadonlyArray<Column> =>
  columns.filter(({ field }) => Object.hasOwn(values, field))

/**
 * Whether the values name a fact of the source, so that the stored digest no longer matches the
 * row.
 */
export const namesFact = (model: ModelName, values: EditValues): boolean =>
  givenColumns(factColumns(model), values).length > 0

/**
 * A new row by column name, with defaults for omitted values. `ord` is its place in the request.
 */
export function newRow(model: WritableModel, values: EditValues, ord: number): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = { ord }
  for (const { field, name } of writtenColumns(model)) row[name] = values[field] ?? fallback(model, field)
  for (const { field, name } of observedColumns(model)) row[`o_${name}`] = values[field] ?? fallback(model, field)
  return row
}

function fallback(model: WritableModel, field: string): FieldValue {
  if (field === 'tags') return []
  return field === 'custom_fields' ? {} : defaultValue(model, field)
}
