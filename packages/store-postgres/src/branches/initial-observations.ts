import { branchedModels, type ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { type Column, defaultValue, keyColumns, observationTable, observedColumns, tables } from '../tables/columns.ts'
import { insertObservations } from '../writes/insert-observations.ts'
import { branchTable } from './branch-columns.ts'

/**
 * Stores the latest observations of a part with the branch's creations: main has no row for them
 * yet.
 */
export async function stageObservations(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: ModelName },
  part: number,
): Promise<void> {
  if (observationTable(model) === null) return
  const fields = observedColumns(model).map(({ field }) => field)
  const sameKey = keyColumns(model).map(
    ({ name, type }, i) => sql`e.${sql.id(name)} = (r.key ->> ${i}::int)::${sql.raw(type)}`,
  )
  await sql`
    update ${branchTable(model)} e set observation = r.observation
    from (
      select distinct on (key) key, (
        select jsonb_object_agg(v.key, v.value) from jsonb_each(w.values) v where v.key = any(${fields}::text[])
      ) as observation
      from staged_observations w where w.part_id = ${part}::bigint order by key, seq desc
    ) r
    where e.branch_id = ${branch}::bigint and e.op = 'create' and ${sql.join(sameKey, sql` and `)} and e.observation is distinct from r.observation`.execute(
    db,
  )
}

/**
 * Copies the stored initial observations to the rows that a merge has created. A row that has
 * observations already has newer ones.
 */
export async function landInitialObservations(db: Kysely<Tables>, branch: number): Promise<void> {
  for (const model of branchedModels) {
    const columns = observedColumns(model)
    if (observationTable(model) === null) continue
    const types = columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`)
    await insertObservations(model, {
      from: sql`
        from ${branchTable(model)} e join ${sql.table(tables[model])} m on m.id = e.id
        cross join lateral jsonb_to_record(e.observation) as v (${sql.join(types)})
        where e.branch_id = ${branch}::bigint and e.op = 'create' and e.observation is not null`,
      row: 'm',
      values: columns.map((column) => ({ name: column.name, value: observedOrDefault(model, column) })),
      existing: 'keep',
    })?.execute(db)
  }
}

/** An observation; a field that was not observed has the value of an unknown row. */
function observedOrDefault(model: ModelName, { field, name }: Column): RawBuilder<unknown> {
  const fallback = defaultValue(model, field)
  return fallback === null ? sql.ref(`v.${name}`) : sql`coalesce(${sql.ref(`v.${name}`)}, ${fallback})`
}
