import type { FieldValues, ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { branchTable, effective, renamesKey } from '../../branches/branch-columns.ts'
import { jsonb } from '../../database/statement-values.ts'
import type { Tables } from '../../database/tables.ts'
import { keyColumns, sameKey, tables } from '../../tables/columns.ts'

/**
 * A key that a row is to get. `id`: the row exists already; the key that it has now is free for the
 * other rows of the request.
 */
export interface RequestedKey {
  readonly ord: number
  readonly id: number | null
  readonly key: FieldValues
}

/**
 * The positions of the keys that another object of the branch has; if the request has a key twice,
 * the later one counts as taken. Hold the branch's lock.
 */
export async function takenKeys(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: ModelName },
  newKeys: ReadonlyArray<RequestedKey>,
): Promise<ReadonlySet<number>> {
  const columns = keyColumns(model)
  const rows = newKeys.map(({ ord, id, key }) => ({
    ord,
    id,
    ...Object.fromEntries(columns.map(({ field, name }) => [name, key[field]])),
  }))
  const types = sql.join(columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))
  const key = sql.join(columns.map(({ name }) => sql.id(name)))
  const { rows: taken } = await sql<{ ord: number }>`
    with r as materialized (
      select *, row_number() over (partition by ${key} order by ord) as nth from jsonb_to_recordset(${jsonb(rows)}) as r (ord bigint, id bigint, ${types})
    ), moved as materialized (${movedKeys(branch, model)})
    select r.ord from r where r.nth > 1
      or exists (select from moved v where ${sameKey(model, 'v', 'r')} and ${staysIn('v.id')})
      or exists (${ownKey(branch, model)})
      or exists (${mainKey(branch, model)})`.execute(db)
  return new Set(taken.map(({ ord }) => ord))
}

/** Whether an object keeps its key: no row of the request is to give it another. */
const staysIn = (id: string): RawBuilder<unknown> =>
  sql`${sql.ref(id)} not in (select g.id from r g where g.id is not null)`

/** The keys of rows that the branch moves: main's present value of the parts that it leaves alone. */
function movedKeys(branch: number, model: ModelName): RawBuilder<unknown> {
  const columns = keyColumns(model).map((column) => sql`${effective(column)} as ${sql.id(column.name)}`)
  return sql`
    select e.id, ${sql.join(columns)} from ${branchTable(model)} e left join ${sql.table(tables[model])} m on m.id = e.id
    where e.branch_id = ${branch}::bigint and ${renamesKey(model, 'e')}`
}

/** Rows of the branch with the key of `r`: created ones, and changed ones that main has lost. */
const ownKey = (branch: number, model: ModelName): RawBuilder<unknown> => sql`
  select from ${branchTable(model)} e
  where e.branch_id = ${branch}::bigint and e.op <> 'delete' and ${sameKey(model, 'e', 'r')} and ${staysIn('e.id')}
    and (e.op = 'create' or not exists (select from ${sql.table(tables[model])} m where m.id = e.id))`

/** The row of main under the key of `r`, unless the branch deletes or moves it. */
const mainKey = (branch: number, model: ModelName): RawBuilder<unknown> => sql`
  select from ${sql.table(tables[model])} m
  where ${sameKey(model, 'm', 'r')} and ${staysIn('m.id')} and not exists (
    select from ${branchTable(model)} d where d.branch_id = ${branch}::bigint and d.id = m.id and (d.op = 'delete' or ${renamesKey(model, 'd')})
  )`
