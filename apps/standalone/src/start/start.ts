import { resolve } from 'node:path'
import {
  type LogFormat,
  netBoxUrlName,
  openIdIssuerName,
  readVariable,
  runService,
  serveHttp,
  WrongUsage,
} from '@netbox-pbs/app-shell'
import { lockFolder } from '@netbox-pbs/store-postgres'
import { Effect, Layer, Option, Redacted } from 'effect'
import { z } from 'zod'
import manifest from '../../package.json' with { type: 'json' }
import { serveCopies } from '../backup/copy-service.ts'
import { finishRestore } from '../backup/finish-restore.ts'
import { removeLeftOvers } from '../backup/left-overs.ts'
import { whyOnPostgres } from '../backup/on-postgres.ts'
import { bootstrapTokenName, defaultDataDir, type Environment, environment } from '../config.ts'
import { privateFolder } from '../data-folder/private-file.ts'
import { leaveRunFile } from '../data-folder/run-file.ts'
import { databaseLayers } from '../databases.ts'
import { asExpected, CannotRun, type Task } from '../failures.ts'
import { call, type Remote } from '../remote/remote-api.ts'
import { complain, progress } from '../terminal.ts'
import { serveVerification } from '../verification/verification-service.ts'
import { adviceFor, announce } from './announce.ts'
import type { DemoOptions } from './demo-fleet.ts'
import { findKeys, keepKeys, otherKey } from './keys.ts'

/** The flags of `start`, checked. Ports of 0 are chosen by the system. */
export interface StartOptions {
  readonly host: string
  readonly port: number
  readonly gatewayPort: number
  /** Accepted host names of the API in addition to the machine's own. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Addresses and networks of proxies in front of the API, in addition to loopback. */
  readonly trustedProxies: ReadonlyArray<string>
  /** The path below which the API gets its requests; empty: none. */
  readonly basePath: string
  /** Seconds that one statement of a request may take in PostgreSQL. */
  readonly statementTimeoutSeconds: number
  /** Undefined: {@link defaultDataDir}, or nothing kept in a demo. */
  readonly dataDir: string | undefined
  readonly logFormat: LogFormat
  /** Null: no simulated servers. */
  readonly demo: DemoOptions | null
}

/** Runs the system until it is told to stop. Invalid options are errors before anything is written. */
export const start = (options: StartOptions): Task =>
  asExpected(
    runService({
      name: 'netbox-pbs',
      version: manifest.version,
      logFormat: options.logFormat,
      start: begin(options),
    }),
  )

/** Starts the system, and returns the facts for its log. */
const begin = (options: StartOptions) =>
  Effect.gen(function* () {
    const env = yield* environment
    yield* checkBootstrapToken(env)
    const openId = yield* openIdProvider
    const netBox = yield* ownNetBox
    const kept = options.dataDir ?? (options.demo === null ? defaultDataDir : null)
    const dataDir = kept === null ? null : resolve(kept)
    if (dataDir !== null) yield* finishRestore(dataDir)
    const found = yield* findKeys(env, dataDir)
    yield* checkPorts(options)

    const folder = dataDir ?? (yield* privateFolder)
    // The rest of the code is read while the database opens.
    const [databases, { system }] = yield* Effect.all(
      [openDatabases(env, dataDir), Effect.promise(() => import('../system.ts'))],
      { concurrency: 'unbounded' },
    )
    const keys = yield* keepKeys(found)
    const fleet = options.demo === null ? null : yield* startDemo(options.demo, dataDir)
    const running = yield* system({
      ...options,
      folder,
      keys,
      bootstrapToken: env.bootstrapToken,
      openId,
      netBox,
    }).pipe(Effect.provide(databases), Effect.catchTag('SecretUnreadable', otherKey(found)))
    const remote = { address: running.url, token: running.token.token }
    const copies = yield* serveCopies({
      dataDir: folder,
      keysElsewhere: [found.secretKey, found.gatewaySecretKey].flatMap(({ name, file }) =>
        file === null ? [name] : [],
      ),
      reason: dataDir === null ? 'this system keeps nothing: there is nothing to save' : whyOnPostgres(env, dataDir),
    }).pipe(Effect.provide(databases))
    const verification = yield* serveVerification.pipe(Effect.provide(databases))
    yield* leaveRunFile(folder, {
      address: remote.address,
      token: Redacted.value(remote.token),
      pid: process.pid,
      copies,
      verification,
    })
    if (fleet !== null) yield* fleet.read(remote)
    if (Option.isNone(env.databaseUrl)) yield* advise(remote)
    const facts = {
      url: running.url,
      gateway: running.gatewayUrl,
      database: Option.isSome(env.databaseUrl) ? 'PostgreSQL' : 'embedded',
      folder: dataDir ?? 'none: nothing is kept',
      schedule: yield* scheduleOf(remote),
    }
    const servers = yield* serverCount(remote)
    return { facts, announce: () => announce(running, { host: options.host, servers }) }
  })

const Schedule = z.object({ sync_schedule: z.string().nullable(), sync_interval_minutes: z.int() })

const serverCount = (remote: Remote) =>
  Effect.map(
    call(remote)({
      method: 'GET',
      path: '/api/plugins/pbs/servers/?limit=1',
      answer: z.object({ count: z.int() }),
    }),
    ({ count }) => count,
  )

/** When servers are synced that do not say so for themselves, in words. */
const scheduleOf = (remote: Remote) =>
  Effect.map(
    call(remote)({ method: 'GET', path: '/api/plugins/pbs/settings/', answer: Schedule }),
    ({ sync_schedule, sync_interval_minutes }) =>
      sync_schedule
        ? `${sync_schedule} UTC`
        : sync_interval_minutes > 0
          ? `every ${sync_interval_minutes} min`
          : 'none',
  )

const checkBootstrapToken = ({ bootstrapToken }: Environment): Effect.Effect<void, WrongUsage> =>
  Option.isNone(bootstrapToken)
    ? Effect.void
    : Effect.promise(() => import('@netbox-pbs/api')).pipe(
        Effect.flatMap(({ checkToken }) => checkToken(bootstrapToken.value)),
        Effect.mapError(({ message }) => new WrongUsage({ message: `${bootstrapTokenName}: ${message}` })),
      )

/** The provider that users may sign in with, if the environment names one. */
const openIdProvider = Effect.flatMap(readVariable(openIdIssuerName), (issuer) =>
  Option.isNone(issuer)
    ? Effect.succeed(null)
    : Effect.flatMap(
        Effect.promise(() => import('@netbox-pbs/api')),
        ({ readOpenId }) => readOpenId,
      ),
)

/** The NetBox whose tokens are accepted, if the environment names one. */
const ownNetBox = Effect.flatMap(readVariable(netBoxUrlName), (url) =>
  Option.isNone(url)
    ? Effect.succeed(null)
    : Effect.flatMap(
        Effect.promise(() => import('@netbox-pbs/api')),
        ({ readNetBox }) => readNetBox,
      ),
)

/** Listens briefly, so that a port in use is an error before a database is made. */
const checkPorts = ({ host, port, gatewayPort }: StartOptions) => {
  const servers = [
    { who: 'the gateway', port: gatewayPort, portFlag: '--gateway-port' },
    { who: 'the API', port, portFlag: '--port' },
  ]
  return Effect.forEach(
    servers,
    (server) =>
      Effect.scoped(
        serveHttp({ ...server, host, requestTimeout: 30_000, listener: (_, response) => void response.destroy() }),
      ),
    { discard: true },
  )
}

/** The databases; the data folder is this process's own, also when the database is elsewhere. */
const openDatabases = (env: Environment, dataDir: string | null) =>
  Effect.gen(function* () {
    progress('opening the database')
    const databases = yield* Layer.build(databaseLayers({ ...env, dataDir }))
    if (dataDir !== null && Option.isSome(env.databaseUrl)) yield* lockFolder(dataDir)
    if (dataDir !== null) yield* Effect.promise(() => removeLeftOvers(dataDir))
    return databases
  }).pipe(
    Effect.catchTag(
      'DataFolderInUse',
      ({ folder, pid }) =>
        new CannotRun({
          message: `the data folder ${folder} is in use by process ${pid}: stop that one, or choose another with --data-dir`,
        }),
    ),
  )

/** Only a demo loads the simulator. */
const startDemo = (demo: DemoOptions, dataDir: string | null) =>
  Effect.flatMap(
    Effect.promise(() => import('./demo-fleet.ts')),
    ({ demoFleet }) => demoFleet(demo, dataDir),
  )

const advise = (remote: Remote) =>
  call(remote)({
    method: 'GET',
    path: '/api/plugins/pbs/snapshots/?limit=1&brief=1',
    answer: z.object({ count: z.int() }),
  }).pipe(
    Effect.tap(({ count }) => {
      const advice = adviceFor(count)
      return advice === null ? Effect.void : Effect.sync(() => complain(advice))
    }),
  )
