import type { Facts, FieldValue, MainRow, ModelName, Presence } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type Column, factColumns, isSighted, tables } from './columns.ts'

/** A row as `selectMain` returns it: the facts under their field names. */
export type MainRecord = Readonly<Record<string, FieldValue>> & {
  readonly id: number
  readonly presence: Presence
  readonly overrides: Readonly<Record<string, FieldValue>> | null
  /** Of models whose rows may be absent. */
  readonly absent_run?: number | null
}

/** Columns under the names of their fields. */
export const asFields = (columns: ReadonlyArray<Column>, alias: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ field, name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(field)}`))

/** `select … from` of a model's table, under the alias `t`, as far as its `where`. */
export const selectMain = (model: ModelName, more: RawBuilder<unknown> = sql``): RawBuilder<MainRecord> =>
  sql<MainRecord>`select t.id, t.presence, t.overrides${isSighted(model) ? sql`, t.absent_run` : sql``}, ${asFields(factColumns(model), 't')}${more} from ${sql.table(tables[model])} t`

/** The mapper from a row of a table to a row as diff sees it. */
export function mainRow<M extends ModelName>(model: M, record: MainRecord): MainRow<M> {
  const facts: Record<string, FieldValue> = {}
  for (const { field } of factColumns(model)) facts[field] = record[field] ?? null
  // The columns are those of the registry, with its types: that is what the schema's test checks.
  const { id, presence, absent_run: absentRun = null } = record
  const row = { id, presence, facts: facts as Facts<M>, ...(absentRun === null ? {} : { absentRun }) }
  return record.overrides === null ? row : { ...row, overrides: record.overrides }
}
