import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Database } from '../database/database.ts'
import { migrateQueue } from '../queue/migrate-queue.ts'
import { migrations } from './index.ts'
import { type DatabaseTooNew, runMigrations } from './run-migrations.ts'

/**
 * Brings the inventory's tables and the queue's up to date, and returns the names of the applied
 * migrations. It may run at every start and from many processes at once.
 */
export const migrate: Effect.Effect<ReadonlyArray<string>, StoreFailed | DatabaseTooNew, Database> = Effect.flatMap(
  Database,
  (database) =>
    Effect.tap(
      database.transaction('migrating the database', (trx) =>
        runMigrations(trx, { migrations, table: 'netbox_pbs_migration' }),
      ),
      () => migrateQueue(database),
    ),
)
