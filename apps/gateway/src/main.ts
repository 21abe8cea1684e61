import { isLoopback, startProgram } from '@netbox-pbs/app-shell'
import {
  checkGatewaySecretKey,
  GatewayDatabase,
  gatewayStoreLayer,
  migrateGateway,
  secretBoxLayer,
} from '@netbox-pbs/store-postgres'
import { Effect, Option } from 'effect'
import { readConfig, secretKeyName } from './config.ts'
import { gatewayServer } from './gateway-server.ts'
import { version } from './http/app.ts'

startProgram({
  name: 'gateway',
  version,
  config: readConfig(process.argv.slice(2)),
  secrets: ({ secretKey }) => secretBoxLayer({ key: secretKey, keyName: secretKeyName }),
  database: ({ databaseUrl: url }) => GatewayDatabase.layerPg({ url, applicationName: 'netbox-pbs gateway' }),
  prepare: Effect.zipRight(migrateGateway, checkGatewaySecretKey),
  stores: () => gatewayStoreLayer,
  serve: ({ host, port, allowedHosts, bootstrapKey }) =>
    Effect.gen(function* () {
      const key = Option.isSome(bootstrapKey) ? { bootstrapKey: bootstrapKey.value } : {}
      const { url } = yield* gatewayServer({ host, port, allowedHosts, ...key })
      if (!isLoopback(host))
        yield* Effect.logWarning(
          'It listens beyond this machine without TLS: put a TLS proxy in front of it, because keys are sent in clear text.',
        )
      return { facts: { url }, announce: () => process.stdout.write(`The gateway listens on ${url}\n`) }
    }),
})
