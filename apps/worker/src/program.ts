import type { SecretUnreadable, StoreFailed } from '@netbox-pbs/core/ports'
import { proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import {
  checkSecretKey,
  Database,
  type DatabaseTooNew,
  type DatabaseUnusable,
  inventoryLayer,
  migrate,
  queueLayerWith,
  type SecretKeyInvalid,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { gatewayAddress } from '@netbox-pbs/sync'
import { Effect, Layer, type Scope } from 'effect'
import { secretKeyName, type WorkerConfig } from './config.ts'
import { runWorker } from './worker.ts'

/** Why the process cannot run. Each message is one sentence with the next step. */
export type CannotStart = DatabaseTooNew | DatabaseUnusable | SecretKeyInvalid | SecretUnreadable | StoreFailed

/** The worker on its PostgreSQL: migrates the database, checks the secret key, then gives the work itself, which never ends. */
export const startWorker = (config: WorkerConfig): Effect.Effect<Effect.Effect<never>, CannotStart, Scope.Scope> =>
  Effect.gen(function* () {
    // Judged before the database is asked: a key that is none is the smaller mistake.
    const box = yield* Layer.build(secretBoxLayer({ key: config.secretKey, keyName: secretKeyName }))
    const database = yield* Layer.build(
      Database.layerPg({ url: config.databaseUrl, applicationName: 'netbox-pbs worker' }),
    )
    yield* migrate.pipe(Effect.provide(database))
    yield* checkSecretKey.pipe(Effect.provide(database), Effect.provide(box))
    const { heartbeatTimeoutSeconds } = config
    const queue = queueLayerWith({ superviseSeconds: Math.floor(heartbeatTimeoutSeconds / 3), heartbeatTimeoutSeconds })
    const stores = yield* Layer.build(Layer.mergeAll(inventoryLayer, queue, settingsLayer)).pipe(
      Effect.provide(database),
      Effect.provide(box),
    )
    const address = gatewayAddress(config.gateway).pipe(Effect.provide(stores))
    const source = yield* Layer.build(proxboxSourceLayer({ address }))
    return runWorker({ concurrency: config.concurrency, jobTimeLimit: config.jobTimeLimit }).pipe(
      Effect.provide(stores),
      Effect.provide(source),
    )
  })
