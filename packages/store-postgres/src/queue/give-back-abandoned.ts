import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { queueName, schema } from './boss-options.ts'

/**
 * Gives back at once the jobs that a process held which was killed. To be run before any job is taken, and on the embedded engine only, whose folder one process
 * has open at a time: nobody can hold a job then. On PostgreSQL it does nothing; there a worker is found to be lost by its silence. The try is counted, so
 * that a job which ends its process each time is known by it.
 */
export const giveBackAbandoned: Effect.Effect<void, StoreFailed, Database> = Effect.flatMap(
  Database,
  ({ engine, query }) =>
    engine === 'pg'
      ? Effect.void
      : Effect.asVoid(
          query('giving back jobs', (db) =>
            sql`
              update ${sql.id(schema, 'job')} set state = 'retry', start_after = now(), heartbeat_on = null
              where name = ${queueName} and state = 'active'`.execute(db),
          ),
        ),
)
