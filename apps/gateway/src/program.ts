import type { CannotListen } from '@netbox-pbs/app-shell'
import type { SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import {
  checkGatewaySecretKey,
  type DatabaseTooNew,
  type DatabaseUnusable,
  GatewayDatabase,
  gatewayStoreLayer,
  migrateGateway,
  type SecretKeyInvalid,
  secretBoxLayer,
} from '@netbox-pbs/store-postgres'
import { Effect, Layer, Option, type Scope } from 'effect'
import { type GatewayConfig, secretKeyName } from './config.ts'
import { gatewayServer } from './gateway-server.ts'

/** Why the process cannot run. Each message is one sentence with the next step. */
export type CannotStart =
  | CannotListen
  | DatabaseTooNew
  | DatabaseUnusable
  | SecretKeyInvalid
  | SecretUnreadable
  | StoreFailed

/** The gateway on its PostgreSQL: migrates its schema, checks its secret key, then listens until the scope closes. */
export const startGateway = (
  config: GatewayConfig,
): Effect.Effect<{ readonly url: string; readonly port: number }, CannotStart, Scope.Scope> =>
  Effect.gen(function* () {
    // Judged before the database is asked: a key that is none is the smaller mistake.
    const box = yield* Layer.build(secretBoxLayer({ key: config.secretKey, keyName: secretKeyName }))
    const database = yield* Layer.build(
      GatewayDatabase.layerPg({ url: config.databaseUrl, applicationName: 'netbox-pbs gateway' }),
    )
    yield* migrateGateway.pipe(Effect.provide(database))
    yield* checkGatewaySecretKey.pipe(Effect.provide(database), Effect.provide(box))
    const store = yield* Layer.build(gatewayStoreLayer).pipe(Effect.provide(database), Effect.provide(box))
    return yield* gatewayServer({
      host: config.host,
      port: config.port,
      allowedHosts: config.allowedHosts,
      ...(Option.isSome(config.bootstrapKey) ? { bootstrapKey: config.bootstrapKey.value } : {}),
    }).pipe(Effect.provide(store))
  })
