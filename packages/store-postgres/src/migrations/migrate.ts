import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Database } from '../database/database.ts'
import { migrateQueue } from '../queue/migrate-queue.ts'
import { migrations } from './index.ts'
import { type DatabaseTooNew, lackingMigrations, runMigrations } from './run-migrations.ts'

const inventorySet = { migrations, table: 'netbox_pbs_migration' }

/**
 * Brings the inventory's tables and the queue's up to date, and returns the names of the applied
 * migrations. It may run at every start and from many processes at once.
 */
export const migrate: Effect.Effect<ReadonlyArray<string>, StoreFailed | DatabaseTooNew, Database> = Effect.flatMap(
  Database,
  (database) =>
    Effect.tap(
      database.transaction('migrating the database', (trx) => runMigrations(trx, inventorySet)),
      () => migrateQueue(database),
    ),
)

/** The migrations that the inventory's tables lack. It changes nothing. */
export const pendingMigrations: Effect.Effect<
  ReadonlyArray<string>,
  StoreFailed | DatabaseTooNew,
  Database
> = Effect.flatMap(Database, (database) =>
  database.transaction('reading the migrations', (trx) => lackingMigrations(trx, inventorySet)),
)
