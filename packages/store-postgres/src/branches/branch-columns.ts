import { everyModelFields, type FieldValue, type FieldValues, type ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { rowTitle } from '../change-log/append-changes.ts'
import { type Column, columnNames, editedColumns, keyColumns, tables } from '../tables/columns.ts'

/** The table of what branches change of a model. */
export const branchTable = (model: ModelName): RawBuilder<unknown> => sql.table(`branch_${tables[model]}`)

/**
 * The branch's entry `e` for an object, for a lateral join that uses the primary key. The planner
 * cannot know how many rows of a kind a branch has, and might otherwise scan them for each object
 * or walk through another index that begins with the branch.
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

const merges: ReadonlyMap<string, 'set' | 'map'> = new Map(
  Object.entries(everyModelFields).map(([name, { merge }]) => [name, merge]),
)

/** Whether a reader of a branch merges what the branch says of a field with what main says. */
export const isMerged = (field: string): boolean => merges.has(field)

/**
 * Such a field of a row that a branch updates: main's value, with what the branch has put in and
 * without what it has taken out. The entry is `e`, main's row `m`.
 */
export function mergedValue(field: string): RawBuilder<unknown> {
  const main = sql.ref(`m.${field}`)
  const branch = sql.ref(`e.${field}`)
  const isMap = merges.get(field) === 'map'
  const base = sql`coalesce(nullif(e.base -> ${field}::text, 'null'), ${isMap ? '{}' : '[]'})`
  const merged = isMap ? mergedMap(base, main, branch) : mergedSet(base, main, branch)
  return sql`case when m.id is null then ${branch} when ${field}::text = any(e.touched) then ${merged} else ${main} end`
}

type Sql = RawBuilder<unknown>

const has = (members: Sql, member: Sql): Sql =>
  sql`exists (select from jsonb_array_elements(${members}) h (member) where h.member = ${member})`

/** The members that stay of main's, in its order, and then those that come with the branch. */
const mergedSet = (base: Sql, main: Sql, branch: Sql): Sql => sql`(
  select coalesce(jsonb_agg(x.member order by x.part, x.nth), '[]') from (
    select 1 as part, a.nth, a.member from jsonb_array_elements(${main}) with ordinality a (member, nth)
    where ${has(branch, sql`a.member`)} or not ${has(base, sql`a.member`)}
    union all
    select 2, a.nth, a.member from jsonb_array_elements(${branch}) with ordinality a (member, nth)
    where not ${has(base, sql`a.member`)} and not ${has(main, sql`a.member`)}
  ) x
)`

/** Main's members without those that the branch took out, and over them those that it changed. */
const mergedMap = (base: Sql, main: Sql, branch: Sql): Sql => sql`(
  (${main} - array(select k.name from jsonb_object_keys(${base}) k (name) where not ${branch} ? k.name))
  || coalesce((select jsonb_object_agg(a.key, a.value) from jsonb_each(${branch}) a where a.value is distinct from ${base} -> a.key), '{}')
)`
