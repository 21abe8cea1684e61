import { type ModelName, mostUsagePoints, usageDays, usageSlotSeconds } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { keyColumns, observationTable, observedColumns, tables } from '../tables/columns.ts'
import { insertObservations } from '../writes/insert-observations.ts'
import { eachWindow, readWindows, type Window } from './parts.ts'

/**
 * Writes the staged observations of a part that differ from the last ones. A server that did not
 * answer keeps its last contact, and a row what its source could not tell now.
 *
 * @param lastSeen - When the list before this one was complete; null: none was.
 */
export async function landObservations(
  db: Kysely<Tables>,
  model: ModelName,
  { part, lastSeen }: { readonly part: number; readonly lastSeen: string | null },
): Promise<void> {
  const observation = observationTable(model)
  if (observation === null) return
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
      join ${sql.table(tables[model])} m on ${sql.join(sameKey, sql` and `)}
      left join ${sql.table(observation.table)} o on ${sql.ref(`o.${observation.id}`)} = m.id${model === 'server' ? sql`` : sql` and o.server_id = m.server_id`}`,
    row: 'm',
    values: [
      ...columns.map(({ field, name }) => ({
        name,
        value: sql`case when ${isUnknown(field)} then ${sql.ref(`o.${name}`)} else ${sql.ref(`v.${name}`)} end`,
      })),
      ...(model === 'datastore' ? [{ name: 'usage_own', value: usageOwn(lastSeen) }] : []),
    ],
    existing: 'newest',
  })?.execute(db)
}

const isUnknown = (field: string): RawBuilder<boolean> =>
  sql<boolean>`coalesce(r.values -> 'unknown' ? ${field}::text, false)`

/** The time of the sizes that this list lacks. Null: it has them, as of `last_complete_at` of its scope. */
const usageOwn = (lastSeen: string | null): RawBuilder<unknown> =>
  sql`case when ${isUnknown('used_bytes')} and o.used_bytes is not null then coalesce(o.usage_own, ${lastSeen}::timestamptz) end`

/**
 * Writes the end of tasks that finished since main last recorded them, into their own rows. Like
 * every observation it leaves `last_updated` unchanged.
 */
export async function landTaskObservations(
  db: Kysely<Tables>,
  engine: Database['Type']['engine'],
  part: number,
): Promise<void> {
  const windows = await readWindows(db, engine, 'staged_observations', part)
  await eachWindow(engine, windows, (window) => landEnds(db, window))
}

async function landEnds(db: Kysely<Tables>, window: Window): Promise<void> {
  const columns = observedColumns('task')
  const named = (alias: string): RawBuilder<unknown> => sql.join(columns.map(({ name }) => sql.ref(`${alias}.${name}`)))
  await sql`
    update tasks m set ${sql.join(columns.map(({ name }) => sql`${sql.id(name)} = ${sql.ref(`v.${name}`)}`))}
    from (
      select distinct on (w.key) w.key, w.values from staged_observations w where ${window.rows} order by w.key, w.seq desc
    ) r
    cross join lateral jsonb_to_record(r.values) as v (${sql.join(columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))})
    where m.server_id = (r.key ->> 0)::bigint and m.upid = r.key ->> 1 and (${named('m')}) is distinct from (${named('v')})`.execute(
    db,
  )
}

/** Remembers the nodes that the new tasks of a part name. */
export async function noteNodes(db: Kysely<Tables>, part: number): Promise<void> {
  await sql`
    insert into server_nodes (server_id, node)
    select distinct w.server_id, w.node from staged_tasks w where w.part_id = ${part}::bigint and w.op = 'create' and w.node <> ''
    on conflict do nothing`.execute(db)
}

/**
 * Adds the new staged points of a part, and then removes points older than `usageDays` before `at`.
 * An existing point keeps its first value, because a later total does not belong to its time.
 */
export async function landUsage(
  { db, engine }: { readonly db: Kysely<Tables>; readonly engine: Database['Type']['engine'] },
  { serverId, part, at }: { readonly serverId: number | null; readonly part: number; readonly at: string },
): Promise<void> {
  const windows = await readWindows(db, engine, 'staged_observations', part, mostUsagePoints)
  await eachWindow(engine, windows, (window) => addPoints(db, serverId, window, at))
}

async function addPoints(db: Kysely<Tables>, serverId: number | null, window: Window, at: string): Promise<void> {
  const { numAffectedRows } = await sql`
    insert into datastore_usage_points (server_id, datastore_id, time, used_bytes, total_bytes)
    select m.server_id, m.id, p.time, p.used_bytes, p.total_bytes
    from staged_observations w
    cross join lateral jsonb_to_recordset(w.values -> 'usage') as p (time timestamptz, used_bytes bigint, total_bytes bigint)
    join datastores m on m.server_id = ${serverId}::bigint and m.name = w.key ->> 1
    where ${window.rows} and p.time > ${at}::timestamptz - ${usageDays} * interval '1 day'
      and p.time <= ${at}::timestamptz - ${usageSlotSeconds} * interval '1 second'
    on conflict do nothing`.execute(db)
  if (numAffectedRows === 0n) return
  await sql`
    delete from datastore_usage_points
    where server_id = ${serverId}::bigint and time <= ${at}::timestamptz - ${usageDays} * interval '1 day'`.execute(db)
}
