import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { queueName, schema } from './boss-options.ts'

/**
 * Seconds before a job that was held by a killed process is taken again. They double each time, up
 * to the longest.
 */
const [firstPause, longestPause] = [5, 600]

/**
 * Gives back the jobs of a killed process. Run it before any job is taken, and only on the embedded
 * engine, whose folder one process has open at a time; on PostgreSQL it does nothing, because a
 * lost worker is detected by its silence. The try counts and the pause grows, so a job that kills
 * its process each time is given up in the end.
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
