import type { SecretBox, SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { Context, Effect, Layer } from 'effect'
import { Database } from '../database/database.ts'
import type { DatabaseUnusable } from '../database/errors.ts'
import type { PgOptions } from '../database/pg.ts'
import { type DatabaseTooNew, runMigrations } from '../migrations/run-migrations.ts'
import { checkSecretKeyIn } from '../secret-box/secret-box.ts'
import { migration as endpoints } from './0001-endpoints.ts'

/**
 * The place of the gateway's tables: a schema `gateway` of the inventory's database, or a database
 * of their own.
 */
export class GatewayDatabase extends Context.Tag('@netbox-pbs/store-postgres/GatewayDatabase')<
  GatewayDatabase,
  typeof Database.Service
>() {
  /** The database of the inventory, PostgreSQL or embedded. */
  static readonly layerShared: Layer.Layer<GatewayDatabase, never, Database> = Layer.effect(GatewayDatabase, Database)

  /** A PostgreSQL database of its own. */
  static readonly layerPg = (options: PgOptions): Layer.Layer<GatewayDatabase, DatabaseUnusable> =>
    Layer.provide(GatewayDatabase.layerShared, Layer.fresh(Database.layerPg(options)))
}

const migrations = { '0001_endpoints': endpoints }

/**
 * Brings the gateway's tables up to date, apart from the inventory's. Returns the names of the
 * applied migrations.
 */
export const migrateGateway: Effect.Effect<
  ReadonlyArray<string>,
  StoreFailed | DatabaseTooNew,
  GatewayDatabase
> = Effect.flatMap(GatewayDatabase, (database) =>
  database.transaction("migrating the gateway's database", (trx) =>
    runMigrations(trx, { migrations, table: 'migration', schema: 'gateway' }),
  ),
)

/**
 * Fails when the key is not the one that the gateway's secrets are stored under. Run it at the
 * start, after `migrateGateway`.
 */
export const checkGatewaySecretKey: Effect.Effect<void, StoreFailed | SecretUnreadable, GatewayDatabase | SecretBox> =
  Effect.flatMap(GatewayDatabase, (database) => checkSecretKeyIn(database, ['gateway', 'secret_check']))
