import { everyModelFields, type ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { columnNames } from '../change-sets/row-columns.ts'
import { type Column, factColumns, tables } from '../inventory/columns.ts'

/** The table of what branches change of a model. */
export const branchTable = (model: ModelName): RawBuilder<unknown> => sql.table(`branch_${tables[model]}`)

const operatorColumns: ReadonlyArray<Column> = Object.keys(everyModelFields).map((name) => ({
  field: name,
  name,
  type: 'jsonb',
}))

/** The columns of a row of a branch that are main's too: all that merges. */
export const mergedColumns = (model: ModelName): ReadonlyArray<Column> => [...factColumns(model), ...operatorColumns]

/** Whether the rows of two aliases differ in any of the columns. */
export const differ = (columns: ReadonlyArray<Column>, a: string, b: string): RawBuilder<boolean> =>
  sql<boolean>`(${columnNames(columns, a)}) is distinct from (${columnNames(columns, b)})`
