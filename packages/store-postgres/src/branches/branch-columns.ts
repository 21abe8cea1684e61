import type { FieldValue, FieldValues, ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { rowTitle } from '../change-log/append-changes.ts'
import { type Column, columnNames, editedColumns, keyColumns, tables } from '../tables/columns.ts'

/** The table of what branches change of a model. */
export const branchTable = (model: ModelName): RawBuilder<unknown> => sql.table(`branch_${tables[model]}`)

/**
 * The entry `e` that a branch has of an object, for a lateral join. The planner cannot know how
 * many rows a branch has of a kind: it might scan them for each object, or look through all of them
 * in an index that begins with the branch and goes on with something else. Only the primary key is
 * in the order that is asked for.
 */
export const entryOf = (branch: number, model: ModelName, id: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select e.* from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and e.id >= ${id} and e.id <= ${id} order by e.id limit 1) e`

/** The columns of a row of a branch that are main's too: all that merges is what users may edit. */
export const mergedColumns = (model: ModelName): ReadonlyArray<Column> => editedColumns(model)

/**
 * The merged fields of an object, from a record that names each column by the alias, a low line and
 * the field.
 */
export function valuesOf(
  model: ModelName,
  alias: 'e' | 'm',
  record: { readonly [column: string]: unknown },
): FieldValues {
  const values: Record<string, FieldValue> = {}
  // The columns are those of the registry, with its types.
  for (const { field } of mergedColumns(model)) values[field] = (record[`${alias}_${field}`] ?? null) as FieldValue
  return values
}

/** Whether an entry, the row of the alias, is an update that touches its object's key. */
export const renamesKey = (model: ModelName, alias: string): RawBuilder<boolean> =>
  sql<boolean>`(${sql.ref(`${alias}.op`)} = 'update' and ${sql.ref(`${alias}.touched`)} && ${keyColumns(model).map(({ field }) => field)}::text[])`

/** Whether the rows of two aliases differ in any of the columns. */
export const differ = (columns: ReadonlyArray<Column>, a: string, b: string): RawBuilder<boolean> =>
  sql<boolean>`(${columnNames(columns, a)}) is distinct from (${columnNames(columns, b)})`

/** The natural key of the entry `e` in words. Its server may be one that the branch makes. */
export const entryTitle = (model: ModelName): RawBuilder<unknown> =>
  rowTitle(
    model,
    'e',
    (id) => sql`coalesce(
      (select v.name from servers v where v.id = ${id}), (select s.name from branch_servers s where s.branch_id = e.branch_id and s.id = ${id})
    )`,
  )

/**
 * A row of main as a branch that updates it shows it: the entry's values of touched fields and
 * main's present values of the rest, or the whole entry where main has lost the row. The entry is
 * `e`, main's row `m`.
 */
export const effective = ({ field, name }: Column): RawBuilder<unknown> =>
  sql`case when m.id is null or ${field}::text = any(e.touched) then ${sql.ref(`e.${name}`)} else ${sql.ref(`m.${name}`)} end`
