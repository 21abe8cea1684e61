import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { branchTable, mergedValue } from '../../branches/branch-columns.ts'
import { fieldsRelation, hasValue, isValue, type TakenValue, uniqueFields } from '../../custom-values/unique-values.ts'
import type { Tables } from '../../database/tables.ts'
import { tables } from '../../tables/columns.ts'

/**
 * The first of these rows of a branch, as they are now, with a value of a unique custom field that
 * another row of the branch, or one of main that the branch leaves alone, has; of two of them it is
 * the later one. Null: there is none. Hold the branch's lock; a merge asks main again.
 */
export async function takenBranchValue(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: ModelName },
  ids: ReadonlyArray<number>,
): Promise<TakenValue | null> {
  const fields = await uniqueFields(db, [model])
  if (fields.length === 0 || ids.length === 0) return null
  const given = sql`unnest(${ids}::bigint[]) with ordinality`
  const value = sql`(r.custom_fields -> f.key)`
  const main = sql.table(tables[model])
  const { rows } = await sql<TakenValue>`
    with own as materialized (
      select e.id, ${mergedValue('custom_fields')} as custom_fields from ${branchTable(model)} e left join ${main} m on m.id = e.id
      where e.branch_id = ${branch}::bigint and e.op <> 'delete' and e.custom_fields <> '{}'
        and (e.op = 'create' or m.id is null or 'custom_fields' = any(e.touched))
    )
    select r.id, f.name as field
    from ${given} i (id, nth) join own r on r.id = i.id cross join ${fieldsRelation(fields)}
    where ${isValue(value)} and (
      exists (
        select from own o left join ${given} j (id, nth) on j.id = o.id
        where o.id <> r.id and o.custom_fields -> f.key = ${value} and (j.id is null or j.nth < i.nth)
      ) or exists (
        select from ${main} o where o.id <> r.id and ${hasValue(value)} and not exists (
          select from ${branchTable(model)} d
          where d.branch_id = ${branch}::bigint and d.id = o.id and (d.op = 'delete' or 'custom_fields' = any(d.touched))
        )
      )
    )
    order by i.nth limit 1`.execute(db)
  return rows[0] ?? null
}
