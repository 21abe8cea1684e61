import type { UsagePoint } from '@netbox-pbs/core'
import { DatastoreUsage } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'

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
