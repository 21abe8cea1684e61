import { nightCount, nightFields } from '@netbox-pbs/core'
import { Insights, type NightOutcomes } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import { recordCondition, recordCount, recordListOf, recordOrder, recordSlice } from '../tables/record-list.ts'

/** Numbers for charts. */
export const insightsLayer: Layer.Layer<Insights, never, Database> = Layer.effect(
  Insights,
  Effect.map(Database, (database) =>
    Insights.of({
      nights: Effect.fn('Insights.nights')(function* ({ filter, ...request }) {
        const ofUser = andSeen(yield* seenServers, sql`n.server_id`)
        return yield* database.query('counting backups by night', async (db) => {
          const where = sql`where ${await recordCondition(db, nightList, filter.where)} ${ofUser}`
          const own = { id: nightList.id, order: recordOrder(nightList, filter.order) }
          const { order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`from ${nights} ${where}`)
          const { rows } = await sql<NightOutcomes>`
            select to_char(n.night at time zone 'UTC', 'YYYY-MM-DD') as night, jsonb_build_object('id', n.server_id, 'name', n.server_name) as server,
              n.known, n.ok, n.warning, n.error, n.other
            from ${nights} ${where} order by ${order} ${limit}`.execute(db)
          return { count, rows }
        })
      }),
    }),
  ),
)

/** A night begins at noon. */
const half = sql`interval '12 hours'`

/**
 * The nights `n` of each server. Tasks are found by their type and start; those of a night are all
 * known when the list was complete after it, and something older is known too.
 */
const nights = sql`(
  select d.night, v.id as server_id, v.name as server_name,
    coalesce(c.last_complete_at >= d.night + interval '1 day' + ${half} and o.oldest <= d.night + ${half}, false) as known,
    coalesce(t.ok, 0) as ok, coalesce(t.warning, 0) as warning, coalesce(t.error, 0) as error, coalesce(t.other, 0) as other
  from servers v
  cross join (
    select date_trunc('day', now() at time zone 'UTC' - ${half}) at time zone 'UTC' - i * interval '1 day' as night
    from generate_series(0, ${sql.lit(nightCount - 1)}) i
  ) d
  left join (
    select k.server_id, date_trunc('day', k.starttime at time zone 'UTC' - ${half}) at time zone 'UTC' as night,
      count(*) filter (where k.outcome = 'ok') as ok, count(*) filter (where k.outcome = 'warning') as warning,
      count(*) filter (where k.outcome = 'error') as error, count(*) filter (where k.outcome not in ('ok', 'warning', 'error')) as other
    from tasks k where k.worker_type = 'backup' and k.starttime >= now() - ${sql.lit(nightCount + 1)} * interval '1 day' group by 1, 2
  ) t on t.server_id = v.id and t.night = d.night
  left join scopes c on c.resource = 'tasks' and c.server_id = v.id
  left join lateral (select min(k.starttime) as oldest from tasks k where k.server_id = v.id) o on true
) n`

/** The list of nights. */
const nightList = recordListOf(nightFields, {
  columns: {
    night: sql`to_char(n.night at time zone 'UTC', 'YYYY-MM-DD')`,
    server: sql`n.server_id`,
    known: sql`n.known`,
    ok: sql`n.ok`,
    warning: sql`n.warning`,
    error: sql`n.error`,
    other: sql`n.other`,
  },
  sorted: { server: sql`n.server_name` },
  order: sql`n.night desc, n.server_name, n.server_id`,
  id: sql`n.server_id`,
})
