import type { SecretBox, SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type DatabaseTooNew, runMigrations } from '../migrations/run-migrations.ts'
import { checkSecretKeyIn } from '../secret-box/check-secret-key.ts'
import { migration as endpoints } from './0001-endpoints.ts'
import { GatewayDatabase } from './gateway-database.ts'

const migrations = { '0001_endpoints': endpoints }

/** Brings the gateway's tables up to date, apart from the inventory's. Returns what was applied. */
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
 * Fails when the key at hand is not the one that the gateway's secrets are stored under. Run it at
 * the start, after `migrateGateway`.
 */
export const checkGatewaySecretKey: Effect.Effect<void, StoreFailed | SecretUnreadable, GatewayDatabase | SecretBox> =
  Effect.flatMap(GatewayDatabase, (database) => checkSecretKeyIn(database, ['gateway', 'secret_check']))
