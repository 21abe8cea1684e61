import { startProgram, WrongUsage } from '@netbox-pbs/app-shell'
import type { SettingsStore } from '@netbox-pbs/core/ports'
import { endpointsLayer } from '@netbox-pbs/proxbox-client'
import {
  accountsLayer,
  checkSecretKey,
  Database,
  eventsLayer,
  inventoryLayer,
  migrate,
  queueLayer,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { gatewayAddress } from '@netbox-pbs/sync'
import { Effect, Layer, Option } from 'effect'
import { writeToken } from './accounts/write-token.ts'
import { apiServer } from './api-server.ts'
import { type ApiConfig, bootstrapTokenName, readConfig, secretKeyName } from './config.ts'
import { version } from './version.ts'

startProgram({
  name: 'api',
  version,
  config: readConfig(process.argv.slice(2)),
  secrets: ({ secretKey }) => secretBoxLayer({ key: secretKey, keyName: secretKeyName }),
  database: ({ databaseUrl: url }) => Database.layerPg({ url, applicationName: 'netbox-pbs api' }),
  prepare: Effect.zipRight(migrate, checkSecretKey),
  stores: () => Layer.mergeAll(inventoryLayer, accountsLayer, queueLayer, settingsLayer, eventsLayer),
  serve: ({ bootstrapToken, gateway, ...options }) =>
    Effect.gen(function* () {
      yield* writeBootstrapToken(bootstrapToken)
      const address = Effect.provide(gatewayAddress(gateway), yield* Effect.context<SettingsStore>())
      const endpoints = yield* Layer.build(endpointsLayer({ address }))
      const { url } = yield* apiServer(options).pipe(Effect.provide(endpoints))
      return { facts: { url }, announce: () => process.stdout.write(`The API listens on ${url}\n`) }
    }),
})

/** Stores the first token, if the environment gives one. */
function writeBootstrapToken(token: ApiConfig['bootstrapToken']) {
  if (Option.isNone(token)) return Effect.void
  const about = { description: 'as given at the start', write_enabled: true, expires: null }
  return Effect.catchTag(
    writeToken(token.value, about),
    'TokenMalformed',
    ({ message }) => new WrongUsage({ message: `${bootstrapTokenName}: ${message}.` }),
  )
}
