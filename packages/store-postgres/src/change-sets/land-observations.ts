import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { keyColumns, observedColumns, tables } from '../tables/columns.ts'
import { insertObservations } from '../writes/insert-observations.ts'

/**
 * Writes the staged observations of a part that differ from the last ones. A server that did not
 * answer keeps its last contact.
 */
export async function landObservations(db: Kysely<Tables>, model: ModelName, part: number): Promise<void> {
  const columns = observedColumns(model)
  const sameKey = keyColumns(model).map(
    ({ name, type }, i) => sql`m.${sql.id(name)} = (r.key ->> ${i}::int)::${sql.raw(type)}`,
  )
  const types = columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`)
  await insertObservations(model, {
    from: sql`
      from (
        select distinct on (key) key, values from staged_observations where part_id = ${part}::bigint order by key, seq desc
      ) r
      cross join lateral jsonb_to_record(r.values) as v (${sql.join(types)})
      join ${sql.table(tables[model])} m on ${sql.join(sameKey, sql` and `)}`,
    row: 'm',
    values: columns.map(({ name }) => ({ name, value: sql.ref(`v.${name}`) })),
    existing: 'newest',
  })?.execute(db)
}
