import { type DueRun, type ScheduledServer, type ScheduleMark, Schedules } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import type { Tables } from '../database/tables.ts'
import { insertRun } from '../runs/runs.ts'

interface ServerRecord extends Omit<ScheduledServer, 'mark'> {
  readonly timing: string | null
  readonly counted_from: string | null
}

/** The schedule's marks, one row for each timing. */
export const schedulesLayer: Layer.Layer<Schedules, never, Database> = Layer.effect(
  Schedules,
  Effect.map(Database, (database) =>
    Schedules.of({
      settingsMark: Effect.fn('Schedules.settingsMark')(function* () {
        const { rows } = yield* database.query('reading the schedule', (db) =>
          sql<ScheduleMark>`
            select timing, counted_from as "countedFrom" from schedules where server_id is null`.execute(db),
        )
        return Option.fromNullable(rows[0])
      }),

      servers: () =>
        pages<ScheduledServer>((after) =>
          database.query('reading the schedules of servers', async (db) => {
            const { rows } = await sql<ServerRecord>`
              select v.id, v.name, v.endpoint_state = 'connected' as connected, v.sync_schedule, v.sync_interval_minutes, v.sleep_hours,
                s.timing, s.counted_from
              from servers v left join schedules s on coalesce(s.server_id, 0) = v.id
              where v.name > ${after?.name ?? ''}
                and (v.sync_schedule <> '' or v.sync_interval_minutes is not null or s.timing is not null)
              order by v.name limit ${pageSize}`.execute(db)
            return rows.map(({ timing, counted_from, ...server }) => ({
              ...server,
              mark: timing === null || counted_from === null ? null : { timing, countedFrom: counted_from },
            }))
          }),
        ),

      watch: Effect.fn('Schedules.watch')(function* ({ serverId, timing, countedFrom }) {
        yield* database.query('beginning a schedule', (db) =>
          // A server that was deleted since has no schedule to start.
          sql`
            insert into schedules (server_id, timing, counted_from)
            select ${serverId}::bigint, ${timing}, ${countedFrom}::timestamptz
            where ${serverId}::bigint is null or exists (select from servers where id = ${serverId}::bigint for key share)
            on conflict (coalesce(server_id, 0)) do update
            set timing = excluded.timing, counted_from = excluded.counted_from, dropped = 0
            where schedules.timing <> excluded.timing or schedules.counted_from > excluded.counted_from + interval '5 minutes'`.execute(
            db,
          ),
        )
      }),

      start: Effect.fn('Schedules.start')(function* (due, request) {
        return yield* database.transaction('starting a scheduled run', async (trx) => {
          const before = await moveMark(trx, due, sql`0`)
          if (before === null) return Option.none()
          return Option.some({ run: await insertRun(trx, request), dropped: before })
        })
      }),

      drop: Effect.fn('Schedules.drop')((due) =>
        database.transaction('dropping a scheduled run', async (trx) => {
          const before = await moveMark(trx, due, sql`dropped + 1`)
          return Option.map(Option.fromNullable(before), (dropped) => dropped + 1)
        }),
      ),
    }),
  ),
)

/**
 * Moves the mark if it still has the value that the caller read, and returns how many runs were
 * dropped before; null: another worker was first.
 */
async function moveMark(
  db: Kysely<Tables>,
  { serverId, mark, countedFrom }: DueRun,
  dropped: RawBuilder<unknown>,
): Promise<number | null> {
  // Locked, so that a second worker waits for the first to commit and then finds the mark moved.
  const { rows } = await sql<{ dropped: number }>`
    select dropped from schedules
    where coalesce(server_id, 0) = ${serverId ?? 0}::bigint and timing = ${mark.timing}
      and counted_from = ${mark.countedFrom}::timestamptz for update`.execute(db)
  const [kept] = rows
  if (kept === undefined) return null
  await sql`
    update schedules set counted_from = ${countedFrom}::timestamptz, dropped = ${dropped}
    where coalesce(server_id, 0) = ${serverId ?? 0}::bigint`.execute(db)
  return kept.dropped
}
