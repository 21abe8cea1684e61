import { hostname, networkInterfaces } from 'node:os'
import { apiServer, type NetBoxConfig, type OpenIdConfig, signInLink } from '@netbox-pbs/api'
import { isLoopback, urlHost } from '@netbox-pbs/app-shell'
import { gatewayServer } from '@netbox-pbs/gateway'
import { endpointsLayer, proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import {
  accountsLayer,
  checkGatewaySecretKey,
  checkSecretKey,
  Database,
  eventsLayer,
  gatewayStoreLayer,
  giveBackAbandoned,
  inventoryLayer,
  migrate,
  migrateGateway,
  queueLayer,
  runsLayer,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { gatewayAddress } from '@netbox-pbs/sync'
import { runWorker } from '@netbox-pbs/worker'
import { Effect, Layer, type Option, Redacted } from 'effect'
import { keyNames } from './config.ts'
import { WorkerDatabase } from './databases.ts'
import type { Keys } from './start/keys.ts'
import { type LocalToken, localToken } from './start/local-token.ts'
import { progress } from './terminal.ts'

/** Options of a system in one process, apart from its databases. */
export interface SystemOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly gatewayPort: number
  /** Accepted host names of the API in addition to the machine's own. */
  readonly allowedHosts?: ReadonlyArray<string>
  /** Addresses and networks of proxies in front of the API, in addition to loopback. */
  readonly trustedProxies?: ReadonlyArray<string>
  /** The path below which the API gets its requests; empty: none. */
  readonly basePath?: string
  /** Seconds that one statement of a request may take in the database; the API's own default. */
  readonly statementTimeoutSeconds?: number
  /** Private folder for the token's file. */
  readonly folder: string
  readonly keys: Keys
  /** The first admin token; none: one is made if there is none at all. */
  readonly bootstrapToken: Option.Option<Redacted.Redacted<string>>
  /** The provider of OpenID Connect that users may sign in with; none. */
  readonly openId?: OpenIdConfig | null
  /** The NetBox whose API tokens are accepted; none. */
  readonly netBox?: NetBoxConfig | null
}

/** A running system, by addresses that this machine reaches. */
export interface System {
  readonly url: string
  readonly gatewayUrl: string
  /** An admin token. */
  readonly token: LocalToken
  /** Signs a browser in, once. */
  readonly signInUrl: Redacted.Redacted<string>
}

/** Servers read at a time. */
const workers = 4

/**
 * Gateway, worker and api on one database, until the scope closes. They meet over loopback sockets
 * and the database, as they would on three machines.
 */
export const system = Effect.fn('system')(function* (options: SystemOptions) {
  const { host, keys } = options
  progress('migrating the database')
  yield* migrate
  yield* migrateGateway
  yield* giveBackAbandoned
  const box = yield* Layer.build(secretBoxLayer({ key: keys.secretKey, keyName: keyNames.secretKey }))
  const gatewayBox = yield* Layer.build(
    secretBoxLayer({ key: keys.gatewaySecretKey, keyName: keyNames.gatewaySecretKey }),
  )
  yield* checkSecretKey.pipe(Effect.provide(box))
  yield* checkGatewaySecretKey.pipe(Effect.provide(gatewayBox))

  progress('starting the gateway')
  const gatewayStores = yield* Layer.build(gatewayStoreLayer).pipe(Effect.provide(gatewayBox))
  const allowedHosts = [...ownNames(host), ...(options.allowedHosts ?? [])]
  const gateway = yield* gatewayServer({
    host,
    allowedHosts,
    port: options.gatewayPort,
    portFlag: '--gateway-port',
    bootstrapKey: keys.gatewayKey,
  }).pipe(Effect.provide(gatewayStores))
  const gatewayUrl = ownAddress(host, gateway.port)

  progress('starting worker and api')
  const stores = yield* Layer.build(
    Layer.mergeAll(inventoryLayer, runsLayer, accountsLayer, queueLayer, settingsLayer, eventsLayer),
  ).pipe(Effect.provide(box))
  const address = gatewayAddress({ url: gatewayUrl, key: keys.gatewayKey }).pipe(Effect.provide(stores))
  const clients = yield* Layer.build(Layer.mergeAll(endpointsLayer({ address }), proxboxSourceLayer({ address })))
  const workerStores = yield* Layer.build(
    Layer.fresh(Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer, eventsLayer)).pipe(
      Layer.provide(Layer.effect(Database, WorkerDatabase)),
    ),
  ).pipe(Effect.provide(box))
  yield* runWorker({ concurrency: workers }).pipe(
    Effect.provide(workerStores),
    Effect.provide(clients),
    Effect.forkScoped,
  )
  const api = yield* apiServer({
    host,
    port: options.port,
    allowedHosts,
    trustedProxies: options.trustedProxies ?? [],
    basePath: options.basePath ?? '',
    openId: options.openId ?? null,
    netBox: options.netBox ?? null,
    ...(options.statementTimeoutSeconds !== undefined && {
      statementTimeoutSeconds: options.statementTimeoutSeconds,
    }),
  }).pipe(Effect.provide(stores), Effect.provide(clients))
  const url = `${ownAddress(host, api.port)}${options.basePath ?? ''}`
  const token = yield* localToken(options.bootstrapToken, options.folder).pipe(Effect.provide(stores))
  const link = yield* signInLink('admin').pipe(Effect.provide(stores))
  progress('')
  const running: System = { url, gatewayUrl, token, signInUrl: Redacted.make(`${url}${link}`) }
  return running
})

const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Where this machine itself reaches a server that listens on `host`. */
export const ownAddress = (host: string, port: number): string => `http://${urlHost(everywhere[host] ?? host)}:${port}`

/**
 * Names by which other machines may ask for a server that listens on `host`: none on loopback, else
 * the machine's name and addresses.
 */
export function ownNames(host: string): ReadonlyArray<string> {
  if (isLoopback(host)) return []
  const name = hostname().toLowerCase()
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  const short = name.split('.', 1)
  return [...new Set([name, ...short, ...addresses.map(({ address }) => urlHost(address.replace(/%.*$/, '')))])]
}
