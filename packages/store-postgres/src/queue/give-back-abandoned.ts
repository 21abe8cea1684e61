import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { queueName, schema } from './boss-options.ts'

/** Seconds before a job that was held when its process was killed is taken again; twice as many with each time it happens to the job, up to the longest. */
const [firstPause, longestPause] = [5, 600]

/**
 * Gives back the jobs that a process held which was killed. To be run before any job is taken, and on the embedded engine only, whose folder one process
 * has open at a time: nobody can hold a job then. On PostgreSQL it does nothing; there a worker is found to be lost by its silence. The try is counted and
 * the pause grows, so that a job which ends its process each time leaves it time to serve, and is given up in the end.
 */
export const giveBackAbandoned: Effect.Effect<void, StoreFailed, Database> = Effect.flatMap(
  Database,
  ({ engine, query }) =>
    engine === 'pg'
      ? Effect.void
      : Effect.asVoid(
          query('giving back jobs', (db) =>
            sql`
              update ${sql.id(schema, 'job')} set state = 'retry', heartbeat_on = null,
                start_after = now() + least(${longestPause}::double precision, ${firstPause} * 2.0 ^ retry_count) * interval '1 second'
              where name = ${queueName} and state = 'active'`.execute(db),
          ),
        ),
)
