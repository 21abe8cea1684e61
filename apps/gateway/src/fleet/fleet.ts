import { createHash } from 'node:crypto'
import { EndpointStore, type SecretUnreadable, type StoredEndpoint, type StoreFailed } from '@netbox-pbs/core/ports'
import { makePbsClient, type PbsClient, type PbsConnection } from '@netbox-pbs/pbs-client'
import { Context, Effect, Equal, Hash, Layer, Option, RcMap, Redacted, type Scope } from 'effect'
import { clientReader } from './client-reader.ts'
import { HungReads } from './hung-reads.ts'
import type { PbsReader } from './pbs-reader.ts'

/** How many requests may be open at once. */
export interface FleetLimits {
  readonly perServer: number
  readonly total: number
}

/** The PBS that the gateway can reach, with one bounded client each, shared by all requests. */
export class Fleet extends Context.Tag('@netbox-pbs/gateway/Fleet')<
  Fleet,
  {
    /** A reader of a stored endpoint, opened with its stored secret. None when the endpoint is gone. */
    readonly reader: (
      endpoint: StoredEndpoint,
    ) => Effect.Effect<Option.Option<PbsReader>, StoreFailed | SecretUnreadable, Scope.Scope>
    /** A client of its own for something that is not stored; it closes with the scope. */
    readonly client: (connection: PbsConnection) => Effect.Effect<PbsClient, never, Scope.Scope>
    /** How many servers a request works on at once. */
    readonly width: number
  }
>() {
  /** Clients close when nobody has read with them for half a minute. */
  static readonly layer = (limits: FleetLimits): Layer.Layer<Fleet, never, EndpointStore> =>
    Layer.scoped(
      Fleet,
      Effect.gen(function* () {
        const store = yield* EndpointStore
        const total = yield* Effect.makeSemaphore(limits.total)
        // Clients come and go; what hung is known as long as the connection stays what it is.
        const hung = new Map<number, { readonly key: ConnectionKey; readonly reads: HungReads }>()
        const hungReadsOf = (key: ConnectionKey): HungReads => {
          const known = hung.get(key.id)
          if (known !== undefined && Equal.equals(known.key, key)) return known.reads
          const reads = new HungReads()
          hung.set(key.id, { key, reads })
          return reads
        }
        const readers = yield* RcMap.make({
          lookup: (key: ConnectionKey) =>
            Effect.gen(function* () {
              const client = yield* makePbsClient(key.connection)
              const own = yield* Effect.makeSemaphore(limits.perServer)
              // The server's permit first: nobody waits for a busy server while holding a permit of the whole gateway.
              return clientReader(
                client,
                (read) => own.withPermits(1)(total.withPermits(1)(read)),
                Effect.zipRight(holdPermit(own), holdPermit(total)),
                hungReadsOf(key),
              )
            }),
          idleTimeToLive: '30 seconds',
        })
        return {
          reader: (endpoint) =>
            Effect.gen(function* () {
              const secret = yield* store.secret({ id: endpoint.id })
              if (Option.isNone(secret)) return Option.none()
              const connection = { ...connectionOf(endpoint, secret.value), concurrency: limits.perServer }
              return Option.some(yield* RcMap.get(readers, new ConnectionKey(endpoint.id, connection)))
            }),
          client: makePbsClient,
          width: Math.max(1, Math.ceil(limits.total / limits.perServer)),
        }
      }),
    )
}

/** Takes a permit until the scope closes. */
const holdPermit = (permits: Effect.Semaphore): Effect.Effect<void, never, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.zipRight(
      restore(permits.take(1)),
      Effect.addFinalizer(() => permits.release(1)),
    ),
  )

/** What of an endpoint a client needs. */
export const connectionOf = (
  endpoint: Pick<StoredEndpoint, 'host' | 'port' | 'token_id' | 'fingerprint' | 'verify_ssl' | 'timeout_seconds'>,
  secret: Redacted.Redacted<string>,
): PbsConnection => ({
  host: endpoint.host,
  port: endpoint.port,
  tokenId: endpoint.token_id,
  tokenSecret: secret,
  fingerprint: endpoint.fingerprint,
  verifySsl: endpoint.verify_ssl,
  timeoutSeconds: endpoint.timeout_seconds,
})

/** Equal while nothing of the connection changed: a changed endpoint gets a new client, running reads keep the old one. */
class ConnectionKey implements Equal.Equal {
  readonly #identity: string

  constructor(
    readonly id: number,
    readonly connection: PbsConnection,
  ) {
    const { tokenSecret, ...rest } = connection
    const secret = createHash('sha256').update(Redacted.value(tokenSecret)).digest('hex')
    this.#identity = JSON.stringify([id, rest, secret])
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof ConnectionKey && that.#identity === this.#identity
  }

  [Hash.symbol](): number {
    return Hash.string(this.#identity)
  }
}
