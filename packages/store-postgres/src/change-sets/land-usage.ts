import { mostUsagePoints, usageDays } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { eachWindow, readWindows, type Window } from './windows.ts'

/**
 * Adds the new staged points of a part. An existing point keeps its first value, because a later
 * total does not belong to its time. When a point is added, points older than `usageDays` before
 * `at` are removed.
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
    on conflict do nothing`.execute(db)
  if (numAffectedRows === 0n) return
  await sql`
    delete from datastore_usage_points
    where server_id = ${serverId}::bigint and time <= ${at}::timestamptz - ${usageDays} * interval '1 day'`.execute(db)
}
