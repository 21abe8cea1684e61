import { ServerObservations } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'

/** A server's status, written outside of landings. */
export const serverObservationsLayer: Layer.Layer<ServerObservations, never, Database> = Layer.effect(
  ServerObservations,
  Effect.map(Database, (database) =>
    ServerObservations.of({
      record: Effect.fn('ServerObservations.record')(({ server, status, lastSeenAt }) =>
        Effect.asVoid(
          database.query(`recording the status of ${server}`, (db) =>
            sql`insert into server_observations as o (server_id, status, last_seen_at)
              select id, ${status}, ${lastSeenAt}::timestamptz from servers where name = ${server}
              on conflict (server_id) do update
              set status = excluded.status, last_seen_at = coalesce(excluded.last_seen_at, o.last_seen_at)
              where (o.status, o.last_seen_at) is distinct from (excluded.status, coalesce(excluded.last_seen_at, o.last_seen_at))`.execute(
              db,
            ),
          ),
        ),
      ),
    }),
  ),
)
