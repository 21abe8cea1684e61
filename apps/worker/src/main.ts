import { startProgram } from '@netbox-pbs/app-shell'
import type { SettingsStore } from '@netbox-pbs/core/ports'
import { proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import {
  checkSecretKey,
  Database,
  eventsLayer,
  inventoryLayer,
  migrate,
  queueLayerWith,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { gatewayAddress } from '@netbox-pbs/sync'
import { Effect, Layer } from 'effect'
import manifest from '../package.json' with { type: 'json' }
import { readConfig, secretKeyName } from './config.ts'
import { runWorker } from './worker.ts'

startProgram({
  name: 'worker',
  version: manifest.version,
  config: readConfig(process.argv.slice(2)),
  secrets: ({ secretKey }) => secretBoxLayer({ key: secretKey, keyName: secretKeyName }),
  database: ({ databaseUrl: url }) => Database.layerPg({ url, applicationName: 'netbox-pbs worker' }),
  prepare: Effect.zipRight(migrate, checkSecretKey),
  stores: ({ heartbeatTimeoutSeconds }) => {
    const superviseSeconds = Math.floor(heartbeatTimeoutSeconds / 3)
    return Layer.mergeAll(
      inventoryLayer,
      queueLayerWith({ superviseSeconds, heartbeatTimeoutSeconds }),
      settingsLayer,
      eventsLayer,
    )
  },
  serve: ({ gateway, concurrency, jobTimeLimit }) =>
    Effect.gen(function* () {
      const address = Effect.provide(gatewayAddress(gateway), yield* Effect.context<SettingsStore>())
      const source = yield* Layer.build(proxboxSourceLayer({ address }))
      yield* Effect.forkScoped(Effect.provide(runWorker({ concurrency, jobTimeLimit }), source))
      return {
        facts: { concurrency },
        announce: () => process.stdout.write(`The worker takes up to ${concurrency} jobs at a time\n`),
      }
    }),
})
