import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { keyColumns, observationTable, observedColumns, tables } from '../tables/columns.ts'

/**
 * Writes the staged observations of a part that differ from the last ones. A server that did not
 * answer keeps its last contact.
 */
export async function landObservations(db: Kysely<Tables>, model: ModelName, part: number): Promise<void> {
  const observation = observationTable(model)
  if (observation === null) return
  const columns = observedColumns(model)
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const row = model === 'server' ? ['server_id'] : ['server_id', observation.id]
  const rowId = model === 'server' ? sql`m.id` : sql`m.server_id, m.id`
  const newest = columns.map(({ name }) =>
    name === 'last_seen_at' ? sql`coalesce(excluded.last_seen_at, o.last_seen_at)` : sql`excluded.${sql.id(name)}`,
  )
  const sameKey = keyColumns(model).map(
    ({ name, type }, i) => sql`m.${sql.id(name)} = (r.key ->> ${i}::int)::${sql.raw(type)}`,
  )
  await sql`
    insert into ${sql.table(observation.table)} as o (${sql.join(row.map((name) => sql.id(name)))}, ${names})
    select ${rowId}, ${sql.join(columns.map(({ name }) => sql`v.${sql.id(name)}`))}
    from (
      select distinct on (key) key, values from staged_observations where part_id = ${part}::bigint order by key, seq desc
    ) r
    cross join lateral jsonb_to_record(r.values) as v (${sql.join(columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))})
    join ${sql.table(tables[model])} m on ${sql.join(sameKey, sql` and `)}
    on conflict (${sql.join(row.map((name) => sql.id(name)))}) do update
    set ${sql.join(columns.map(({ name }, i) => sql`${sql.id(name)} = ${newest[i]}`))}
    where (${sql.join(columns.map(({ name }) => sql`o.${sql.id(name)}`))}) is distinct from (${sql.join(newest)})`.execute(
    db,
  )
}
