import { createHash } from 'node:crypto'
import { EndpointStore, type SecretUnreadable, type StoredEndpoint, type StoreFailed } from '@netbox-pbs/core/ports'
import {
  CurrentMeter,
  makePbsClient,
  type PbsClient,
  type PbsConnection,
  type PbsDispatch,
} from '@netbox-pbs/pbs-client'
import { Context, Effect, Equal, Hash, Layer, Option, RcMap, Redacted, type Scope } from 'effect'
import { hanging, PausedReads, refusing } from './paused-reads.ts'
import { clientReader, type PbsReader, type ReaderParts } from './pbs-reader.ts'
import { type LedgerEntry, RequestLedger } from './request-ledger.ts'

/** How many requests may be open at once. */
export interface FleetLimits {
  readonly perServer: number
  /** Of all servers together, counting only requests that began within the last second. */
  readonly total: number
  /** The way to the servers instead of TLS. */
  readonly dispatch?: PbsDispatch | undefined
}

/** The PBS servers of the gateway, with one bounded client each that all requests share. */
export class Fleet extends Context.Tag('@netbox-pbs/gateway/Fleet')<
  Fleet,
  {
    /**
     * A reader of a stored endpoint, with or without a run; opened with its stored secret. None
     * when the endpoint is gone.
     */
    readonly reader: (
      endpoint: StoredEndpoint,
      run: string | undefined,
    ) => Effect.Effect<Option.Option<PbsReader>, StoreFailed | SecretUnreadable, Scope.Scope>
    /** Notes that the server of an endpoint accepts its token now: requests that it was refused for are made again. */
    readonly accepted: (id: number) => Effect.Effect<void>
    /** Counts the requests of work that is for no run as requests to the server of an endpoint. */
    readonly counted: (id: number) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** What the server of an endpoint was asked since the last call. */
    readonly takeCosts: (id: number) => Effect.Effect<ReadonlyArray<LedgerEntry>>
    /** A separate client for an endpoint that is not stored; it closes with the scope. */
    readonly client: (connection: PbsConnection) => Effect.Effect<PbsClient, never, Scope.Scope>
    /** How many servers a request lists at once. It may contact more: each contact is one small request. */
    readonly width: number
  }
>() {
  /** A client closes after half a minute without a read. */
  static readonly layer = (limits: FleetLimits): Layer.Layer<Fleet, never, EndpointStore> =>
    Layer.scoped(
      Fleet,
      Effect.gen(function* () {
        const store = yield* EndpointStore
        const ledger = new RequestLedger()
        const total = yield* Effect.makeSemaphore(limits.total)
        // Paused reads outlive a client: they are known as long as the connection stays the same.
        const paused = new Map<number, Omit<ReaderParts, 'client'> & { readonly key: ConnectionKey }>()
        const pausedOf = (key: ConnectionKey): Omit<ReaderParts, 'client'> => {
          const known = paused.get(key.id)
          if (known !== undefined && Equal.equals(known.key, key)) return known
          const reads = { key, hung: new PausedReads(hanging), refused: new PausedReads(refusing) }
          paused.set(key.id, reads)
          return reads
        }
        const readers = yield* RcMap.make({
          lookup: (key: ConnectionKey) =>
            Effect.gen(function* () {
              // The client has the permits of its server, which come first: no request waits for a busy server while it
              // holds a permit of the whole gateway.
              const client = yield* makePbsClient(key.connection, {
                permit: lendPermit(total),
                dispatch: limits.dispatch,
              })
              const { hung, refused } = pausedOf(key)
              const parts: ReaderParts = { client, hung, refused }
              return parts
            }),
          idleTimeToLive: '30 seconds',
        })
        return {
          reader: (endpoint, run) =>
            Effect.gen(function* () {
              const secret = yield* store.secret({ id: endpoint.id })
              if (Option.isNone(secret)) return Option.none()
              const connection = { ...connectionOf(endpoint, secret.value), concurrency: limits.perServer }
              return Option.some(
                clientReader(yield* RcMap.get(readers, new ConnectionKey(endpoint.id, connection)), {
                  run,
                  meter: ledger.meter(endpoint.id, run),
                }),
              )
            }),
          accepted: (id) => Effect.sync(() => paused.get(id)?.refused.resume()),
          counted: (id) => Effect.provideService(CurrentMeter, ledger.meter(id, undefined)),
          takeCosts: (id) => Effect.sync(() => ledger.take(id)),
          client: (connection) => makePbsClient(connection, { dispatch: limits.dispatch }),
          width: Math.max(1, Math.ceil(limits.total / limits.perServer)),
        }
      }),
    )
}

/** How long a request holds a permit of the whole gateway, in milliseconds. */
const longestLoan = 1000

/**
 * Takes a permit until the scope closes, but no longer than a second: then the request continues
 * without it, so that silent servers do not delay one that answers.
 */
const lendPermit = (permits: Effect.Semaphore): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    let held = true
    const giveBack = Effect.suspend(() => {
      if (!held) return Effect.void
      held = false
      return permits.release(1)
    })
    return Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(
        restore(permits.take(1)),
        Effect.addFinalizer(() => giveBack),
      ),
    ).pipe(Effect.zipRight(Effect.forkScoped(Effect.delay(giveBack, longestLoan))), Effect.asVoid)
  })

/** The connection of an endpoint. */
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

/**
 * Equal while the connection is unchanged: a changed endpoint gets a new client, running reads keep
 * the old one.
 */
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
