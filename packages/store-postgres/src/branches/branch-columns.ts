import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type Column, factColumns, keyColumns, tables } from '../inventory/columns.ts'

/** The table of what branches change of a model. */
export const branchTable = (model: ModelName): RawBuilder<unknown> => sql.table(`branch_${tables[model]}`)

const operatorColumns: ReadonlyArray<Column> = ['tags', 'custom_fields'].map((name) => ({
  field: name,
  name,
  type: 'jsonb',
}))

/** The columns of a row of a branch that are main's too: all that merges. */
export const mergedColumns = (model: ModelName): ReadonlyArray<Column> => [...factColumns(model), ...operatorColumns]

/** Columns as a list, under an alias or bare. */
export const names = (columns: ReadonlyArray<Column>, alias?: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ name }) => (alias === undefined ? sql.id(name) : sql.ref(`${alias}.${name}`))))

/** Whether the rows of two aliases have the same natural key. */
export const sameKey = (model: ModelName, a: string, b: string): RawBuilder<boolean> =>
  sql<boolean>`${sql.join(
    keyColumns(model).map(({ name }) => sql`${sql.ref(`${a}.${name}`)} = ${sql.ref(`${b}.${name}`)}`),
    sql` and `,
  )}`

/** Whether the rows of two aliases differ in any of the columns. */
export const differ = (columns: ReadonlyArray<Column>, a: string, b: string): RawBuilder<boolean> =>
  sql<boolean>`(${names(columns, a)}) is distinct from (${names(columns, b)})`
