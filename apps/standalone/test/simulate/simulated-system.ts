import type { PGlite } from '@electric-sql/pglite'
import { type GatewayAppOptions, gatewayHandler } from '@netbox-pbs/gateway'
import { endpointsLayer, proxboxSourceLayer } from '@netbox-pbs/proxbox-client'
import {
  Database,
  GatewayDatabase,
  gatewayStoreLayer,
  inventoryLayer,
  migrate,
  migrateGateway,
  queueLayer,
  secretBoxLayer,
  settingsLayer,
  verifyStored,
} from '@netbox-pbs/store-postgres'
import { noDeliveries } from '@netbox-pbs/testing/no-deliveries'
import { runWorker } from '@netbox-pbs/worker'
import { Context, Effect, Exit, Fiber, Layer, Logger, Redacted, Scope } from 'effect'
import {
  type Answer,
  connectionError,
  type DispatchedAnswer,
  type DispatchedRequest,
  InProcessDispatcher,
} from './in-process-dispatcher.ts'
import type { SimulatedDatabase } from './simulated-database.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { SimulatedServer } from './simulated-server.ts'
import { currentProcess } from './simulated-time.ts'
import type { World } from './world.ts'

const key = (fill: number) => Redacted.make(Buffer.alloc(32, fill).toString('base64'))
const gatewayKey = Redacted.make('a-gateway-key-of-enough-characters')
const gatewayUrl = 'http://127.0.0.1:8800'

const boxLayer = secretBoxLayer({ key: key(2), keyName: 'NETBOX_PBS_SECRET_KEY' })
const gatewayBoxLayer = secretBoxLayer({ key: key(1), keyName: 'NETBOX_PBS_GATEWAY_SECRET_KEY' })

/** A migrated database to begin with, as a dump; made once in a process. */
export const migratedDump = (): Promise<Blob> =>
  Effect.runPromise(
    Effect.gen(function* () {
      yield* migrate
      yield* migrateGateway
      const { driver } = yield* Database
      if (driver._tag !== 'pglite') throw new Error('the engine is embedded')
      const { pglite } = driver
      return yield* Effect.promise(() => pglite.dumpDataDir('none'))
    }).pipe(
      Effect.provide(GatewayDatabase.layerShared.pipe(Layer.provideMerge(Database.layerPglite({ dataDir: null })))),
    ),
  )

/** An engine of its own, from a dump. */
export const openEngine = async (
  dump: Blob,
): Promise<{ readonly pglite: PGlite; readonly parsers: Parsers; readonly close: () => Promise<void> }> => {
  const scope = Effect.runSync(Scope.make())
  const { driver } = Context.get(
    await Effect.runPromise(Layer.buildWithScope(Database.layerPglite({ dataDir: null, dump }), scope)),
    Database,
  )
  if (driver._tag !== 'pglite') throw new Error('the engine is embedded')
  // Tables are small: a plan that was made once is as good as another.
  await driver.pglite.exec('set plan_cache_mode = force_generic_plan; set synchronous_commit = off')
  return {
    pglite: driver.pglite,
    parsers: driver.parsers,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}

type Dispatch = NonNullable<GatewayAppOptions['dispatch']>
type Parsers = Extract<(typeof Database.Service)['driver'], { readonly _tag: 'pglite' }>['parsers']

/** The services of a user's process, which is like the API's. */
export type UserPorts = Layer.Layer.Success<ReturnType<SimulatedSystem['userLayer']>>

/** What the system is made of. */
export interface SystemParts {
  readonly world: World
  readonly database: SimulatedDatabase
  readonly parsers: Parsers
  readonly servers: ReadonlyArray<SimulatedServer>
  /** Called for each line of a log that says that something is wrong inside. */
  readonly onInternalError: (line: string) => void
}

interface Running {
  readonly process: SimulatedProcess
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
}

/** Gateway, two workers and the process of users, on one database, any of which may be killed and started again. */
export class SimulatedSystem {
  readonly #parts: SystemParts
  #gateway: (Running & { handler: Awaited<Effect.Effect.Success<ReturnType<typeof gatewayHandler>>> | null }) | null =
    null
  readonly #workers = new Map<string, Running>()
  #user: { readonly process: SimulatedProcess; readonly context: Context.Context<UserPorts> } | null = null
  /** The share of requests to the gateway that break. */
  gatewayFaults = 0
  /** Changes what the gateway sends; only to show that the judge notices. */
  forge: ((text: string) => string) | null = null

  constructor(parts: SystemParts) {
    this.#parts = parts
  }

  get processes(): ReadonlyArray<SimulatedProcess> {
    return [this.#gateway, this.#user, ...this.#workers.values()].flatMap((one) => (one === null ? [] : [one.process]))
  }

  get workers(): ReadonlyArray<SimulatedProcess> {
    return [...this.#workers.values()].map(({ process }) => process)
  }

  get gateway(): SimulatedProcess | null {
    return this.#gateway?.process ?? null
  }

  #database(process: SimulatedProcess): Layer.Layer<Database> {
    const { database, parsers } = this.#parts
    return Layer.fresh(Database.layerOpened({ pglite: database.connectionOf(process), parsers }))
  }

  /** Runs an effect as a process does. */
  #fork<A, E>(process: SimulatedProcess, effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> {
    const { world, onInternalError } = this.#parts
    const logger = Logger.make(({ logLevel, message, cause }) => {
      const text = `${process.name}: ${[message].flat().join(' ')}`
      if (text.includes('internal error') || text.includes('a request failed') || text.includes('sync stream broke'))
        onInternalError(`${text}: ${String(cause)}`)
      if (logLevel.ordinal >= 40_000) world.note(text)
    })
    return currentProcess.run(process, () =>
      Effect.runFork(
        // Nothing reads the spans, and each has a stack trace.
        Effect.withTracerEnabled(
          Effect.withRandom(Effect.provide(effect, Logger.replace(Logger.defaultLogger, logger)), world.jitter),
          false,
        ),
        {
          scheduler: world.fibers.schedulerOf(process),
        },
      ),
    )
  }

  /** Starts the gateway, or another in place of one that was killed. */
  startGateway(): void {
    const process = new SimulatedProcess('gateway')
    const stores = gatewayStoreLayer.pipe(
      Layer.provide(gatewayBoxLayer),
      Layer.provide(GatewayDatabase.layerShared),
      Layer.provide(this.#database(process)),
    )
    const dispatch: Dispatch = (connection) => new InProcessDispatcher(process, this.#answerOf(connection))
    const program = Effect.scoped(
      Effect.gen(this, function* () {
        const handler = yield* gatewayHandler({ bootstrapKey: gatewayKey, dispatch })
        if (this.#gateway?.process === process) this.#gateway.handler = handler
        return yield* Effect.never
      }),
    ).pipe(Effect.provide(stores))
    const fiber = this.#fork(process, Effect.retry(program, { while: () => true }))
    this.#gateway = { process, fiber, handler: null }
  }

  #answerOf({ host }: Parameters<Dispatch>[0]): Answer {
    return (request) => {
      const server = this.#parts.servers.find(({ state }) => state.name === host)
      return server === undefined ? Promise.reject(connectionError('ECONNREFUSED')) : server.answer(request)
    }
  }

  /** What a request to the gateway meets. */
  readonly #callGateway: Answer = async (request: DispatchedRequest): Promise<DispatchedAnswer> => {
    const { world } = this.#parts
    await world.pause(1 + world.chance.upTo(3))
    const gateway = this.#gateway
    if (gateway === null || !gateway.process.isAlive || gateway.handler === null) throw connectionError('ECONNREFUSED')
    const { handler, process } = gateway
    const breaksAfter = world.chance.chance(this.gatewayFaults) ? world.chance.upTo(4) : null
    const { origin, path, method, headers, body } = request
    const left = new AbortController()
    request.signal.addEventListener('abort', () => left.abort(), { once: true })
    const incoming = { socket: { remoteAddress: '127.0.0.1', remotePort: 1, remoteFamily: 'IPv4' } }
    let takeBack = () => {}
    const gone = new Promise<never>((_, reject) => {
      takeBack = process.onKill(() => reject(connectionError('UND_ERR_SOCKET')))
    })
    gone.catch(() => undefined)
    const url = new URL(path, origin)
    const asked = new Request(url, { method, headers: { ...headers, host: url.host }, body, signal: left.signal })
    const answered = currentProcess.run(process, async () => handler(asked, { incoming }))
    const response = await Promise.race([answered, gone])
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: piecesOf(response, { gone, breaksAfter, left, takeBack, forge: this.forge }),
    }
  }

  /** Starts a worker, or another in place of one that was killed or stopped. */
  startWorker(name: string): void {
    const process = new SimulatedProcess(name)
    const database = this.#database(process)
    const ports = Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer.pipe(Layer.provide(boxLayer))).pipe(
      Layer.provide(boxLayer.pipe(Layer.orDie)),
      Layer.provide(database),
    )
    const source = proxboxSourceLayer({
      address: Effect.succeed({ url: gatewayUrl, key: gatewayKey }),
      dispatcher: new InProcessDispatcher(process, this.#callGateway),
    })
    const program = runWorker({ concurrency: 2, pollMillis: 15_000 }).pipe(
      Effect.provide(Layer.mergeAll(ports, source, noDeliveries)),
    )
    this.#workers.set(name, { process, fiber: this.#fork(process, program as Effect.Effect<never, unknown>) })
  }

  /** Stops a worker as a signal does: it gives its jobs back. */
  stopWorker(name: string): Promise<void> {
    const running = this.#workers.get(name)
    this.#workers.delete(name)
    if (running === undefined || !running.process.isAlive) return Promise.resolve()
    return currentProcess.run(running.process, () => Effect.runPromise(Effect.asVoid(Fiber.interrupt(running.fiber))))
  }

  /** The ports of a user's process. */
  userLayer(process: SimulatedProcess) {
    const ports = Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
      Layer.provide(boxLayer.pipe(Layer.orDie)),
      Layer.provide(this.#database(process)),
    )
    const endpoints = endpointsLayer({
      address: Effect.succeed({ url: gatewayUrl, key: gatewayKey }),
      dispatcher: new InProcessDispatcher(process, this.#callGateway),
    })
    return Layer.merge(ports, endpoints)
  }

  /** Starts the process of users, or another in place of one that was killed. */
  async startUser(): Promise<void> {
    const process = new SimulatedProcess('user')
    const scope = Effect.runSync(Scope.make())
    const context = await Effect.runPromise(
      Fiber.join(this.#fork(process, Layer.buildWithScope(this.userLayer(process), scope))),
    )
    this.#user = { process, context }
  }

  /** What a user does. A killed process never answers: then the exit is null. */
  async asUser<A, E>(work: Effect.Effect<A, E, UserPorts>): Promise<Exit.Exit<A, E> | null> {
    const user = this.#user
    if (user === null) throw new Error('the process of users does not run')
    const fiber = this.#fork(user.process, Effect.provide(work, user.context))
    const killed = new Promise<null>((resolve) => void user.process.onKill(() => resolve(null)))
    return Promise.race([Effect.runPromise(Fiber.await(fiber)), killed])
  }

  /** What `verify` finds: a line for each check that differs or could not be made. */
  async verify(): Promise<ReadonlyArray<string>> {
    const process = new SimulatedProcess('verify')
    const verified = Effect.provide(verifyStored(), this.#database(process))
    const results = await Effect.runPromise(Fiber.join(this.#fork(process, verified)))
    return results
      .filter(({ different, unknown }) => different > 0 || unknown > 0)
      .map(({ name, differences, unread }) => `verify: ${name}: ${JSON.stringify(differences[0] ?? unread[0])}`)
  }

  get user(): SimulatedProcess | null {
    return this.#user?.process ?? null
  }

  get gatewayIsUp(): boolean {
    return this.#gateway?.handler !== null && this.#gateway?.process.isAlive === true
  }
}

async function* piecesOf(
  response: Response,
  {
    gone,
    breaksAfter,
    left,
    takeBack,
    forge,
  }: {
    readonly gone: Promise<never>
    readonly breaksAfter: number | null
    readonly left: AbortController
    readonly takeBack: () => void
    readonly forge: ((text: string) => string) | null
  },
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  try {
    for (let piece = 0; ; piece += 1) {
      if (piece === breaksAfter) {
        left.abort()
        throw connectionError('UND_ERR_SOCKET')
      }
      const { done, value } = await Promise.race([reader.read(), gone])
      if (done) return
      yield forge === null ? value : Buffer.from(forge(Buffer.from(value).toString('utf8')))
    }
  } finally {
    takeBack()
    reader.cancel().catch(() => undefined)
  }
}
