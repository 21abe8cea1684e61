import type { Facts, FieldValue, MainRow, ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type Column, factColumns, tables } from './columns.ts'

/** A row as `selectMain` returns it: the facts under their field names. */
export type MainRecord = Readonly<Record<string, FieldValue>> & {
  readonly id: number
  readonly presence: 'listed' | 'manual' | 'missing'
  readonly pins: Readonly<Record<string, FieldValue>> | null
}

/** Columns under the names of their fields. */
export const asFields = (columns: ReadonlyArray<Column>, alias: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ field, name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(field)}`))

/** `select … from` of a model's table, under the alias `t`, as far as its `where`. */
export const selectMain = (model: ModelName, more: RawBuilder<unknown> = sql``): RawBuilder<MainRecord> =>
  sql<MainRecord>`select t.id, t.presence, t.pins, ${asFields(factColumns(model), 't')}${more} from ${sql.table(tables[model])} t`

/** The mapper from a row of a table to a row as diff sees it. */
export function mainRow<M extends ModelName>(model: M, record: MainRecord): MainRow<M> {
  const facts: Record<string, FieldValue> = {}
  for (const { field } of factColumns(model)) facts[field] = record[field] ?? null
  // The columns are those of the registry, with its types: that is what the schema's test checks.
  const row = { id: record.id, presence: record.presence, facts: facts as Facts<M> }
  return record.pins === null ? row : { ...row, pins: record.pins }
}
