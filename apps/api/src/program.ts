import { type CannotListen, WrongUsage } from '@netbox-pbs/app-shell'
import type { SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { endpointsLayer } from '@netbox-pbs/proxbox-client'
import {
  accountsLayer,
  checkSecretKey,
  Database,
  type DatabaseTooNew,
  type DatabaseUnusable,
  inventoryLayer,
  migrate,
  queueLayer,
  type SecretKeyInvalid,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { gatewayAddress } from '@netbox-pbs/sync'
import { Effect, Layer, Option, type Scope } from 'effect'
import { writeToken } from './accounts/write-token.ts'
import { apiServer } from './api-server.ts'
import { type ApiConfig, bootstrapTokenName, secretKeyName } from './config.ts'

/** Why the process cannot run. Each message is one sentence with the next step. */
export type CannotStart =
  | CannotListen
  | DatabaseTooNew
  | DatabaseUnusable
  | SecretKeyInvalid
  | SecretUnreadable
  | StoreFailed
  | WrongUsage

/** The API on its PostgreSQL: migrates it, checks the secret key, makes the first token known, then listens until the scope closes. */
export const startApi = (
  config: ApiConfig,
): Effect.Effect<{ readonly url: string; readonly port: number }, CannotStart, Scope.Scope> =>
  Effect.gen(function* () {
    // Judged before the database is asked: a key that is none is the smaller mistake.
    const box = yield* Layer.build(secretBoxLayer({ key: config.secretKey, keyName: secretKeyName }))
    const database = yield* Layer.build(
      Database.layerPg({ url: config.databaseUrl, applicationName: 'netbox-pbs api' }),
    )
    yield* migrate.pipe(Effect.provide(database))
    yield* checkSecretKey.pipe(Effect.provide(database), Effect.provide(box))
    const stores = yield* Layer.build(Layer.mergeAll(inventoryLayer, accountsLayer, queueLayer, settingsLayer)).pipe(
      Effect.provide(database),
      Effect.provide(box),
    )
    if (Option.isSome(config.bootstrapToken)) {
      const about = { description: 'as given at the start', write_enabled: true, expires: null }
      yield* writeToken(config.bootstrapToken.value, about).pipe(
        Effect.provide(stores),
        Effect.catchTag('TokenMalformed', ({ message }) =>
          Effect.fail(new WrongUsage({ message: `${bootstrapTokenName}: ${message}.` })),
        ),
      )
    }
    const address = gatewayAddress(config.gateway).pipe(Effect.provide(stores))
    const endpoints = yield* Layer.build(endpointsLayer({ address }))
    const { host, port, allowedHosts, statementTimeoutSeconds } = config
    return yield* apiServer({ host, port, allowedHosts, statementTimeoutSeconds }).pipe(
      Effect.provide(stores),
      Effect.provide(endpoints),
    )
  })
