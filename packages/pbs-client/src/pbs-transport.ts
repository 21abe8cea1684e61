import type { Readable } from 'node:stream'
import { Effect, ExecutionStrategy, Exit, Redacted, Scope } from 'effect'
import { Client, type Dispatcher } from 'undici'
import { authority, type PbsConnection, urlPart } from './connection.ts'
import { eventCallback } from './event-callback.ts'
import { classifyResponse, failureOf, type PbsError, PbsRequestFailed, safeText } from './pbs-error.ts'
import { CurrentMeter } from './request-meter.ts'
import { mostTaken, Pace, readBeginning } from './response-body.ts'
import { openVerified } from './verified-socket.ts'

/** Query parameters; those that are null or undefined are left out. */
export type PbsQuery = Readonly<Record<string, string | null | undefined>>

/** A 200 whose body was not read yet. */
export interface PbsResponse {
  readonly body: Readable
  /** The time that is left for it. */
  readonly pace: Pace
  /** When the request was sent, in milliseconds of `performance.now()`: after it had its permits. */
  readonly sentAt: number
}

/** Opens GET requests to one server, a bounded number at a time. */
export interface PbsTransport {
  readonly connection: PbsConnection
  /** Closing the scope closes the connection of the request, unless its body was read completely. */
  readonly open: (path: string, query?: PbsQuery) => Effect.Effect<PbsResponse, PbsError, Scope.Scope>
}

const errorBytes = 4096

/** Opens what carries the requests of one connection, one at a time; it is destroyed with the connection. */
export type PbsDispatch = (connection: PbsConnection) => Dispatcher

/** What a transport may be given apart from its connection. */
export interface TransportOptions {
  /** Taken for each request after one of the server's own, and held as long: a bound that several clients share. */
  readonly permit?: Effect.Effect<void, never, Scope.Scope> | undefined
  /** The way to the server instead of TLS, for a server in the same process; a probe never takes it. */
  readonly dispatch?: PbsDispatch | undefined
}

/** A transport whose sockets close with the scope. */
export const makeTransport = (
  connection: PbsConnection,
  { permit = Effect.void, dispatch }: TransportOptions = {},
): Effect.Effect<PbsTransport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const permits = yield* Effect.makeSemaphore(Math.max(1, connection.concurrency ?? 4))
    const kept = yield* Effect.acquireRelease(
      Effect.sync(() => new KeptConnections(connection, dispatch)),
      (it) => Effect.sync(() => it.close()),
    )
    const attempt = (path: string, query: PbsQuery) =>
      holdPermit(permits).pipe(
        Effect.zipRight(permit),
        Effect.zipRight(Effect.retry(send(connection, kept, path, query), { times: 1, while: isBrokenConnection })),
        Effect.flatMap((response) => failUnlessOk(connection, path, response)),
      )
    const open = (path: string, query: PbsQuery = {}) => releaseOnFailure(attempt(path, query))
    return { connection, open }
  })

const holdPermit = (permits: Effect.Semaphore) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.zipRight(
      restore(permits.take(1)),
      Effect.addFinalizer(() => permits.release(1)),
    ),
  )

/**
 * A failed request releases its permit and socket at once, though its scope lives on: a caller may
 * ask again inside it.
 */
const releaseOnFailure = <A, E>(request: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.gen(function* () {
    const outer = yield* Effect.scope
    const own = yield* Scope.fork(outer, ExecutionStrategy.sequential)
    return yield* request.pipe(
      Scope.extend(own),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause))),
    )
  })

/** How long a connection without a request is kept, in milliseconds, unless the server says less. */
const keptMillis = 60_000

/**
 * One connection to the server, for one request at a time. It opens with its first request, and
 * again if the server closed it.
 */
class HttpConnection {
  readonly client: Client | Dispatcher
  readonly #abort = new AbortController()
  /** Runs when a socket is open and its peer is trusted. */
  onOpen: () => void = () => {}

  constructor(connection: PbsConnection, dispatch: PbsDispatch | undefined) {
    this.client = dispatch?.(connection) ?? this.#overTls(connection)
  }

  /** Whether a request is sent at once. */
  get isOpen(): boolean {
    return !(this.client instanceof Client) || this.client.stats.connected
  }

  #overTls(connection: PbsConnection): Client {
    return new Client(`https://${authority(connection)}`, {
      connect: (_, callback) =>
        openVerified(connection, this.#abort.signal, (error, socket) => {
          if (socket === null) return callback(error, null)
          callback(null, socket)
          this.onOpen()
        }),
      pipelining: 1,
      keepAliveTimeout: keptMillis,
      keepAliveMaxTimeout: keptMillis,
      // Waiting is bounded by `send` and `readPieces`: undici starts its own timer again with every 1xx response.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /** Closes the socket at once, also one that is still opening. */
  close(): void {
    this.#abort.abort()
    this.client.destroy().catch(() => {})
  }
}

/** The connections to one server that no request uses; the one used last is used first. */
class KeptConnections {
  readonly #connection: PbsConnection
  readonly #dispatch: PbsDispatch | undefined
  readonly #idle: Array<HttpConnection> = []
  #closed = false
  /** Requests that are open. */
  inFlight = 0

  constructor(connection: PbsConnection, dispatch: PbsDispatch | undefined) {
    this.#connection = connection
    this.#dispatch = dispatch
  }

  take(): HttpConnection {
    const http = this.#idle.pop() ?? new HttpConnection(this.#connection, this.#dispatch)
    this.inFlight += 1
    return http
  }

  /** Takes a connection back; `reusable`: its answer was read to the end. */
  giveBack(http: HttpConnection, reusable: boolean): void {
    this.inFlight -= 1
    if (this.#closed || !reusable) http.close()
    else this.#idle.push(http)
  }

  close(): void {
    this.#closed = true
    for (const http of this.#idle) http.close()
  }
}

/**
 * A connection that broke before the answer began, such as a kept one that the server had closed: a
 * GET may be repeated.
 */
const isBrokenConnection = (error: PbsError): boolean => {
  if (error.reason !== 'unreachable') return false
  const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : null
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET'
}

type AnyResponse = PbsResponse & { readonly status: number }

const send = (
  connection: PbsConnection,
  kept: KeptConnections,
  path: string,
  query: PbsQuery,
): Effect.Effect<AnyResponse, PbsError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => ({ http: kept.take(), body: null as Readable | null }),
      catch: (error) => failureOf(connection, path, error),
    }),
    ({ http, body }) => Effect.sync(() => kept.giveBack(http, body?.readableEnded === true)),
  ).pipe(
    Effect.zip(CurrentMeter),
    Effect.flatMap(([taken, meter]) =>
      Effect.async<AnyResponse, PbsError>((resume) => {
        const sentAt = performance.now()
        let timer: NodeJS.Timeout | undefined
        let waiting = true
        const stopWaiting = () => {
          clearTimeout(timer)
          if (waiting) meter.waited(performance.now() - sentAt, 0)
          waiting = false
        }
        const fail = (error: PbsError) => {
          stopWaiting()
          resume(Effect.fail(error))
        }
        const die = (defect: unknown) => resume(Effect.die(defect))
        const { http } = taken
        const wait = () => {
          clearTimeout(timer)
          timer = setTimeout(() => fail(timedOut(connection, path)), connection.timeoutSeconds * 1000)
        }
        meter.sent(kept.inFlight)
        http.onOpen = wait
        if (http.isOpen) wait()
        http.client
          .request({
            path: `/api2/json${path}${queryString(query)}`,
            method: 'GET',
            highWaterMark: mostTaken,
            headers: {
              authorization: authorization(connection),
              accept: 'application/json',
              'accept-encoding': 'identity',
            },
          })
          .then(
            eventCallback(die, ({ statusCode, body }) => {
              stopWaiting()
              // readPieces reads errors from the body. An error between two reads must not be thrown.
              body.on('error', () => {})
              taken.body = body
              const pace = new Pace(connection.timeoutSeconds, meter)
              resume(Effect.succeed({ status: statusCode, body, pace, sentAt }))
            }),
            eventCallback(die, (error: unknown) => fail(failureOf(connection, path, error))),
          )
        return Effect.sync(stopWaiting)
      }),
    ),
  )

const timedOut = (connection: PbsConnection, path: string) =>
  new PbsRequestFailed({
    reason: 'timeout',
    server: authority(connection),
    endpoint: path,
    detail: `no answer within ${connection.timeoutSeconds} s`,
  })

const failUnlessOk = (
  connection: PbsConnection,
  path: string,
  { status, ...response }: AnyResponse,
): Effect.Effect<PbsResponse, PbsError> =>
  Effect.gen(function* () {
    if (status === 200) return response
    const text = yield* readBeginning(response.body, response.pace, errorBytes)
    const isRedirect = status >= 300 && status < 400
    return yield* new PbsRequestFailed({
      reason: classifyResponse(status, text),
      server: authority(connection),
      endpoint: path,
      status,
      detail: isRedirect ? 'redirects are not followed' : safeText(connection, text),
    })
  })

/** Header values are bytes: a token id may hold letters beyond Latin-1. The server percent-decodes the secret. */
const authorization = (connection: PbsConnection): string => {
  return Buffer.from(
    `PBSAPIToken=${connection.tokenId}:${urlPart(Redacted.value(connection.tokenSecret))}`,
    'utf8',
  ).toString('latin1')
}

const queryString = (query: PbsQuery): string => {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [`${urlPart(key)}=${urlPart(value)}`],
  )
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
