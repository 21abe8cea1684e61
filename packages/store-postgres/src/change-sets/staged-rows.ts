import { type Change, type FieldValue, keyText, type ModelName } from '@netbox-pbs/core'
import { defaultValue, factColumns, ownObservations } from '../tables/columns.ts'

/** A column of a staging table, with its type in SQL. */
export interface StagedColumn {
  readonly name: string
  readonly type: string
}

/**
 * The columns of a model's staging table that a change fills, in the order of a staged row.
 * `touched` travels as the text of a list of names.
 */
export const stagedColumns = (model: ModelName): ReadonlyArray<StagedColumn> => [
  { name: 'op', type: 'text' },
  { name: 'id', type: 'bigint' },
  { name: 'touched', type: 'text[]' },
  { name: 'base', type: 'jsonb' },
  ...factColumns(model),
  ...ownObservations(model),
]

/** A change as a row of a staging table, by place; what it does not say is null. */
export type StagedRow = ReadonlyArray<unknown>

/** First readings by the text of their key: those of models whose rows have them in themselves. */
export type InitialObservations = ReadonlyMap<string, Readonly<Record<string, FieldValue>>>

/** The mapper from changes to staged rows. `held`: their deletions wait in any case. */
export function stagedRows<M extends ModelName>(
  model: M,
  changes: ReadonlyArray<Change<M>>,
  { held, readings = new Map() }: { readonly held: boolean; readonly readings?: InitialObservations },
): ReadonlyArray<StagedRow> {
  const own = ownObservations(model).map(({ field }) => field)
  const fields = factColumns(model).map(({ field }) => field)
  return changes.map((change) => {
    if (change._tag === 'create') {
      const values: Readonly<Record<string, FieldValue>> = change.values
      const reading = own.length === 0 ? undefined : readings.get(keyText(change.key))
      const first = own.map((field) => reading?.[field] ?? defaultValue(model, field))
      return ['create', change.id ?? null, null, null, ...fields.map((field) => values[field] ?? null), ...first]
    }
    // The key comes first among the columns, in its own order.
    const key: ReadonlyArray<FieldValue> = change.key
    if (change._tag === 'delete') return [held ? 'hold' : 'delete', change.id, null, null, ...key]
    const after = new Map(change.fields.map(({ field, value }) => [field, value]))
    const base = Object.fromEntries(change.fields.map((touched) => [touched.field, touched.base]))
    const values = fields.map((field, i) => (after.has(field) ? after.get(field) : (key[i] ?? null)))
    return ['update', change.id, `{${[...after.keys()].join(',')}}`, base, ...values]
  })
}
