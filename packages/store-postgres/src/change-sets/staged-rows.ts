import type { Change, FieldValue, ModelName } from '@netbox-pbs/core'
import { factColumns, keyColumns } from '../inventory/columns.ts'

/** A change as a row of a staging table: its facts under the names of their columns; those not said are absent and so null. */
export type StagedRow = Readonly<Record<string, unknown>>

/** The mapper from changes to staged rows. `held`: their deletions wait in any case. */
export function stagedRows<M extends ModelName>(
  model: M,
  changes: ReadonlyArray<Change<M>>,
  held: boolean,
): ReadonlyArray<StagedRow> {
  const facts = factColumns(model)
  const names = new Map(facts.map(({ field, name }) => [field, name]))
  return changes.map((change) => {
    if (change._tag === 'create') {
      const values: Readonly<Record<string, FieldValue>> = change.values
      return { op: 'create', ...Object.fromEntries(facts.map(({ field, name }) => [name, values[field]])) }
    }
    const op = change._tag === 'delete' && held ? 'hold' : change._tag
    const row: Record<string, unknown> = { op, id: change.id, ...keyValues(model, change.key) }
    if (change._tag === 'delete') return row
    for (const { field, value } of change.fields) row[names.get(field) ?? field] = value
    row['touched'] = change.fields.map(({ field }) => field)
    row['base'] = Object.fromEntries(change.fields.map(({ field, base }) => [field, base]))
    return row
  })
}

/** The columns of a natural key, from its text. */
export function keyValues(model: ModelName, key: string): Readonly<Record<string, unknown>> {
  const values = keyParts(key)
  return Object.fromEntries(keyColumns(model).map(({ name }, i) => [name, values[i]]))
}

/** The values of a natural key, in the order of the model's key: `naturalKey` of core writes them as a JSON list. */
export function keyParts(key: string): ReadonlyArray<unknown> {
  const parsed: unknown = JSON.parse(key)
  return Array.isArray(parsed) ? parsed : []
}
