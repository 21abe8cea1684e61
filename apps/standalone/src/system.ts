import { apiServer, signInLink } from '@netbox-pbs/api'
import { gatewayServer } from '@netbox-pbs/gateway'
import { endpointsLayer, proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import {
  accountsLayer,
  checkGatewaySecretKey,
  checkSecretKey,
  gatewayStoreLayer,
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
import { Effect, Layer, type Option, Redacted, type Scope } from 'effect'
import { type Databases, databaseLayers } from './databases.ts'
import { asExpected, type CannotRun, type WrongUsage } from './failures.ts'
import type { Keys } from './start/keys.ts'
import { type LocalToken, localToken } from './start/local-token.ts'
import { progress } from './terminal.ts'

/** What a whole system in one process needs. */
export interface SystemOptions extends Databases {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly gatewayPort: number
  /** Private folder for the token's file. */
  readonly folder: string
  readonly keys: Keys
  /** The first admin token; none: one is made if there is none at all. */
  readonly bootstrapToken: Option.Option<Redacted.Redacted<string>>
}

/** A running system. */
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

/** Gateway, worker and api on one database, until the scope closes. They meet over loopback sockets and the database, as they would on three machines. */
export const system = (options: SystemOptions): Effect.Effect<System, CannotRun | WrongUsage, Scope.Scope> =>
  Effect.gen(function* () {
    progress('opening the database')
    const databases = yield* Layer.build(databaseLayers(options))
    const boxes = yield* Effect.all({
      own: Layer.build(secretBoxLayer({ key: options.keys.secretKey, keyName: 'NETBOX_PBS_SECRET_KEY' })),
      gateway: Layer.build(
        secretBoxLayer({ key: options.keys.gatewaySecretKey, keyName: 'NETBOX_PBS_GATEWAY_SECRET_KEY' }),
      ),
    })
    progress('migrating the database')
    yield* Effect.all([migrate, migrateGateway]).pipe(Effect.provide(databases))
    yield* checkSecretKey.pipe(Effect.provide(databases), Effect.provide(boxes.own))
    yield* checkGatewaySecretKey.pipe(Effect.provide(databases), Effect.provide(boxes.gateway))

    progress('starting the gateway')
    const gateway = yield* gatewayServer({
      host: options.host,
      port: options.gatewayPort,
      bootstrapKey: options.keys.gatewayKey,
    }).pipe(Effect.provide(gatewayStoreLayer), Effect.provide(databases), Effect.provide(boxes.gateway))
    const stores = yield* Layer.build(
      Layer.mergeAll(inventoryLayer, runsLayer, accountsLayer, queueLayer, settingsLayer),
    ).pipe(Effect.provide(databases), Effect.provide(boxes.own))
    const address = gatewayAddress({ url: loopback(gateway.port), key: options.keys.gatewayKey }).pipe(
      Effect.provide(stores),
    )
    const clients = yield* Layer.build(Layer.mergeAll(endpointsLayer({ address }), proxboxSourceLayer({ address })))

    progress('starting worker and api')
    yield* runWorker({ concurrency: workers }).pipe(Effect.provide(stores), Effect.provide(clients), Effect.forkScoped)
    const api = yield* apiServer({ host: options.host, port: options.port }).pipe(
      Effect.provide(stores),
      Effect.provide(clients),
    )
    const token = yield* localToken(options.bootstrapToken, options.folder).pipe(Effect.provide(stores))
    const link = yield* signInLink('admin').pipe(Effect.provide(stores))
    progress('')
    return { url: api.url, gatewayUrl: gateway.url, token, signInUrl: Redacted.make(`${api.url}${link}`) }
  }).pipe(asExpected)

const loopback = (port: number): string => `http://127.0.0.1:${port}`
