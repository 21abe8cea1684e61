import { Workers, type WorkersState } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'

/**
 * The heartbeats of workers. Workers without contact for a day are removed, except for the last
 * one.
 */
export const workersLayer: Layer.Layer<Workers, never, Database> = Layer.effect(
  Workers,
  Effect.map(Database, (database) =>
    Workers.of({
      heartbeat: Effect.fn('Workers.heartbeat')(function* ({ id, name }) {
        yield* database.query('recording the heartbeat of a worker', (db) =>
          sql`
            with old as (delete from workers where heard_at < now() - interval '1 day' and id <> ${id}::uuid)
            insert into workers (id, name) values (${id}::uuid, ${name})
            on conflict (id) do update set heard_at = now(), stopped = false`.execute(db),
        )
      }),
      stopped: Effect.fn('Workers.stopped')(function* ({ id }) {
        yield* database.query('recording the stop of a worker', (db) =>
          sql`update workers set heard_at = now(), stopped = true where id = ${id}::uuid`.execute(db),
        )
      }),
      state: Effect.fn('Workers.state')(function* () {
        const { rows } = yield* database.query('looking for workers', (db) =>
          // A last contact in the future comes from a clock that was ahead.
          sql<WorkersState>`
            select count(*) filter (where not stopped and heard_at between now() - interval '1 minute' and now() + interval '1 minute') as running,
              case when max(heard_at) > now() then now() else max(heard_at) end as "lastHeartbeat"
            from workers`.execute(db),
        )
        return rows[0] ?? { running: 0, lastHeartbeat: null }
      }),
    }),
  ),
)
