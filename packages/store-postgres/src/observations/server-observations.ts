import { ServerObservations } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { jsonb } from '../database/json.ts'
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
