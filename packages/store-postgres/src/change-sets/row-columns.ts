import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type Column, keyColumns } from '../inventory/columns.ts'

/** Columns by name, of the row of an alias when it is given. */
export const columnNames = (columns: ReadonlyArray<Column>, alias?: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ name }) => (alias === undefined ? sql.id(name) : sql.ref(`${alias}.${name}`))))

/** Whether the rows of two aliases have one key. */
export const sameKey = (model: ModelName, a: string, b: string): RawBuilder<unknown> =>
  sql.join(
    keyColumns(model).map(({ name }) => sql`${sql.ref(`${a}.${name}`)} = ${sql.ref(`${b}.${name}`)}`),
    sql` and `,
  )
