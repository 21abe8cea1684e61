import type { FieldValue, ServerHealth, UsagePoint } from '@netbox-pbs/core'
import { DatastoreUsage, ServerObservations } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import { observedColumns } from '../tables/columns.ts'

const columns = observedColumns('server')
const names = sql.join(columns.map(({ name }) => sql.id(name)))
const typed = sql.join(columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))
const newest = columns.map(({ name }) =>
  name === 'last_seen_at' ? sql`coalesce(excluded.last_seen_at, o.last_seen_at)` : sql`excluded.${sql.id(name)}`,
)

/** A server's health, written outside of landings. */
export const serverObservationsLayer: Layer.Layer<ServerObservations, never, Database> = Layer.effect(
  ServerObservations,
  Effect.map(Database, (database) =>
    ServerObservations.of({
      record: Effect.fn('ServerObservations.record')(({ serverId, health }) =>
        Effect.asVoid(
          database.query('recording the health of a server', (db) =>
            sql`insert into server_observations as o (server_id, ${names})
              select t.id, ${sql.join(columns.map(({ name }) => sql`v.${sql.id(name)}`))}
              from servers t cross join jsonb_to_record(${jsonb(health)}) as v (${typed})
              where t.id = ${serverId}::bigint for key share of t
              on conflict (server_id) do update
              set ${sql.join(columns.map(({ name }, i) => sql`${sql.id(name)} = ${newest[i]}`))}
              where (${sql.join(columns.map(({ name }) => sql`o.${sql.id(name)}`))}) is distinct from (${sql.join(newest)})`.execute(
              db,
            ),
          ),
        ),
      ),
    }),
  ),
)

/** The columns of a server's observations, joined under an alias, as {@link healthOf} reads them. */
export const healthColumns = (alias: string): RawBuilder<unknown> =>
  sql.join([
    sql`${sql.ref(`${alias}.server_id`)} is not null as observed`,
    ...columns.map(({ name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(`o_${name}`)}`),
  ])

/** The mapper of a server's observations; null: it has none. */
export function healthOf(record: Readonly<Record<string, FieldValue>>): ServerHealth | null {
  if (record['observed'] !== true) return null
  const health: Record<string, FieldValue> = {}
  for (const { field, name } of columns) health[field] = record[`o_${name}`] ?? null
  // The columns and types are those of the registry, which the schema's test checks.
  return health as unknown as ServerHealth
}

/** Reads how full datastores were. */
export const datastoreUsageLayer: Layer.Layer<DatastoreUsage, never, Database> = Layer.effect(
  DatastoreUsage,
  Effect.map(Database, (database) =>
    DatastoreUsage.of({
      points: Effect.fn('DatastoreUsage.points')(({ datastoreId, limit, offset }) =>
        database.query('reading the usage of a datastore', async (db) => {
          // Found by its whole key, which begins with the server.
          const points = sql`from datastores d
            join datastore_usage_points p on p.server_id = d.server_id and p.datastore_id = d.id
            where d.id = ${datastoreId}::bigint`
          const { rows: counted } = await sql<{ count: number }>`select count(*) as count ${points}`.execute(db)
          const { rows } = await sql<UsagePoint>`
            select p.time, p.used_bytes, p.total_bytes ${points}
            order by p.time desc limit ${limit} offset ${offset}`.execute(db)
          return { count: counted[0]?.count ?? 0, rows }
        }),
      ),
    }),
  ),
)
