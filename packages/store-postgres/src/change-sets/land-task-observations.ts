import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { observedColumns } from '../tables/columns.ts'
import { eachWindow, readWindows, type Window } from './windows.ts'

/**
 * Writes the end of tasks that finished since main last recorded them, into their own rows. Like
 * every observation it leaves `last_updated` unchanged.
 */
export const landTaskObservations = (
  run: Run,
  engine: Database['Type']['engine'],
  part: number,
): Effect.Effect<void, StoreFailed> =>
  Effect.flatMap(readWindows(run, engine, 'staged_observations', part), (windows) =>
    eachWindow(engine, windows, (window) => run((db) => landObservations(db, window))),
  )

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
