import { forecastOf, mostDays, type UsagePoint, usageSlotSeconds } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { forecastColumns } from '../tables/columns.ts'
import { insertObservations } from './insert-observations.ts'

/** What is stored of a forecast. Times are seconds since 1970; null: not within `mostDays`. */
interface StoredForecast {
  readonly forecast: string
  readonly growth_per_day: number | null
  readonly full_at: number | null
  readonly full_soonest_at: number | null
  readonly full_latest_at: number | null
}

interface KnownStore extends StoredForecast {
  readonly id: number
  readonly points: ReadonlyArray<UsagePoint>
}

/**
 * Computes when the datastores of a server will be full, from their stored usage, and stores what has
 * changed. Call it with the lock of the scope of its datastores, when a list of them has landed.
 * `at` is when, RFC 3339.
 */
export async function forecastStores(db: Kysely<Tables>, serverId: number, at: string): Promise<void> {
  // Points are of whole slots: within one of them nothing new is known, and nothing is written.
  const slot = usageSlotSeconds
  const now = Math.floor(Date.parse(at) / 1000 / slot) * slot
  const changed = (await storesOf(db, serverId, now)).flatMap(({ id, points, ...stored }) => {
    const forecast = forecastAt(points, now)
    return forecastColumns.some(({ name }) => forecast[name] !== stored[name]) ? [{ id, ...forecast }] : []
  })
  if (changed.length === 0) return
  const typed = forecastColumns.map(
    ({ name, type }) => sql`${sql.id(name)} ${sql.raw(type === 'timestamptz' ? 'float8' : type)}`,
  )
  await insertObservations('datastore', {
    from: sql`from jsonb_to_recordset(${jsonb(changed)}) as r (id bigint, ${sql.join(typed)})
      join datastores m on m.server_id = ${serverId}::bigint and m.id = r.id`,
    row: 'm',
    values: forecastColumns.map(({ name, type }) => ({
      name,
      value: type === 'timestamptz' ? sql`to_timestamp(${sql.ref(`r.${name}`)})` : sql.ref(`r.${name}`),
    })),
    existing: 'replace',
  })?.execute(db)
}

function forecastAt(points: ReadonlyArray<UsagePoint>, now: number): StoredForecast {
  const none = { growth_per_day: null, full_at: null, full_soonest_at: null, full_latest_at: null }
  if (points.length === 0) return { forecast: 'unknown', ...none }
  const found = forecastOf(points, now)
  if (found.kind === 'too_little_data') return { forecast: found.kind, ...none }
  const growth_per_day = Math.round(found.bytesPerDay)
  if (found.kind === 'not_growing') return { ...none, forecast: found.kind, growth_per_day }
  const after = (days: number) => (days >= mostDays ? null : Math.round(now + days * 86_400))
  return {
    ...{ forecast: found.kind, growth_per_day },
    full_at: after(found.daysUntilFull),
    full_soonest_at: after(found.soonest),
    full_latest_at: after(found.latest),
  }
}

/** The datastores of a server with their forecasts and the points that a forecast may need. */
async function storesOf(db: Kysely<Tables>, serverId: number, now: number): Promise<ReadonlyArray<KnownStore>> {
  const stored = forecastColumns.map(({ name, type }) => {
    const value = sql.ref(`o.${name}`)
    return sql`${type === 'timestamptz' ? sql`extract(epoch from ${value})::float8` : value} as ${sql.id(name)}`
  })
  const { rows } = await sql<KnownStore>`
    select d.id, ${sql.join(stored)}, coalesce((
      select jsonb_agg(jsonb_build_object('time', p.time, 'used_bytes', p.used_bytes, 'total_bytes', p.total_bytes) order by p.time)
      from datastore_usage_points p where p.server_id = d.server_id and p.datastore_id = d.id
        and p.time > to_timestamp(${now}) - interval '30 days' and p.time <= to_timestamp(${now})
    ), '[]') as points
    from datastores d left join datastore_observations o on o.server_id = d.server_id and o.datastore_id = d.id
    where d.server_id = ${serverId}::bigint order by d.id`.execute(db)
  return rows.map((row) => ({ ...row, forecast: row.forecast ?? 'unknown' }))
}
