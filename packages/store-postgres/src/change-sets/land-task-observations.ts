import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { observedColumns } from '../tables/columns.ts'
import { eachWindow, readWindows, type Window } from './windows.ts'

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
  await eachWindow(engine, windows, (window) => landObservations(db, window))
}

async function landObservations(db: Kysely<Tables>, window: Window): Promise<void> {
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
