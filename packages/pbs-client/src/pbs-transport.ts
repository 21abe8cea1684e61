import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { Effect, ExecutionStrategy, Exit, Redacted, Scope } from 'effect'
import { classifyResponse } from './classify-response.ts'
import { authority, bareHost, type PbsConnection } from './connection.ts'
import { eventCallback } from './event-callback.ts'
import { failureOf } from './failure-of.ts'
import { type PbsError, PbsRequestFailed } from './pbs-error.ts'
import { readBeginning } from './response-body.ts'
import { safeText } from './safe-text.ts'
import { urlPart } from './url-part.ts'
import { VerifyingAgent, type VerifyingRequestOptions } from './verifying-agent.ts'

/** Query parameters; those that are null or undefined are left out. */
export type PbsQuery = Readonly<Record<string, string | null | undefined>>

/** Opens GET requests to one server, a bounded number at a time. */
export interface PbsTransport {
  readonly connection: PbsConnection
  /** A 200 whose body was not read yet. Closing the scope destroys the request unless its body was read to the end. */
  readonly open: (path: string, query?: PbsQuery) => Effect.Effect<IncomingMessage, PbsError, Scope.Scope>
}

const errorBytes = 4096

/** A transport whose sockets close with the scope. */
export const makeTransport = (connection: PbsConnection): Effect.Effect<PbsTransport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const concurrency = Math.max(1, connection.concurrency ?? 4)
    const permits = yield* Effect.makeSemaphore(concurrency)
    const agent = yield* Effect.acquireRelease(
      Effect.sync(() => new VerifyingAgent(connection, concurrency)),
      (it) => Effect.sync(() => it.destroy()),
    )
    const attempt = (path: string, query: PbsQuery) =>
      holdPermit(permits).pipe(
        Effect.zipRight(Effect.retry(send(connection, agent, path, query), { times: 1, while: isBrokenConnection })),
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

/** A failed request holds its permit and socket no longer, though the scope lives on: a caller may ask again inside it. */
const releaseOnFailure = <A, E>(request: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.gen(function* () {
    const outer = yield* Effect.scope
    const own = yield* Scope.fork(outer, ExecutionStrategy.sequential)
    return yield* request.pipe(
      Scope.extend(own),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause))),
    )
  })

/** A connection that broke before the answer began, such as a kept one that the server had closed: a GET may be repeated. */
const isBrokenConnection = (error: PbsError): boolean => {
  if (error.reason !== 'unreachable') return false
  const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : null
  return code === 'ECONNRESET' || code === 'EPIPE'
}

const send = (connection: PbsConnection, agent: VerifyingAgent, path: string, query: PbsQuery) =>
  Effect.acquireRelease(
    Effect.sync(() => new AbortController()),
    (abort) => Effect.sync(() => abort.abort()),
  ).pipe(
    Effect.flatMap((abort) =>
      Effect.async<IncomingMessage, PbsError>((resume) => {
        let timer: NodeJS.Timeout | undefined
        const die = (defect: unknown) => resume(Effect.die(defect))
        const fail = eventCallback(die, (error: unknown) => {
          clearTimeout(timer)
          resume(Effect.fail(failureOf(connection, path, error)))
        })
        try {
          const options: VerifyingRequestOptions = {
            agent,
            host: bareHost(connection.host),
            port: connection.port,
            path: `/api2/json${path}${queryString(query)}`,
            method: 'GET',
            signal: abort.signal,
            giveUp: abort.signal,
            headers: {
              authorization: authorization(connection),
              accept: 'application/json',
              'accept-encoding': 'identity',
            },
          }
          const sent = request(options)
          sent.once('socket', () => {
            timer = setTimeout(() => {
              resume(Effect.fail(timedOut(connection, path)))
              abort.abort()
            }, connection.timeoutSeconds * 1000)
          })
          sent.once('response', (response) => {
            clearTimeout(timer)
            // readChunk reads errors from the response. An error between two reads must not be thrown.
            response.on('error', () => {})
            resume(Effect.succeed(response))
          })
          // Stays for good: destroying a request reports an error, then and later.
          sent.on('error', fail)
          sent.end()
        } catch (error) {
          fail(error)
        }
        return Effect.sync(() => {
          clearTimeout(timer)
          abort.abort()
        })
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

const failUnlessOk = (connection: PbsConnection, path: string, response: IncomingMessage) =>
  Effect.gen(function* () {
    const status = response.statusCode ?? 0
    if (status === 200) return response
    const body = yield* readBeginning(response, connection.timeoutSeconds, errorBytes)
    const isRedirect = status >= 300 && status < 400
    return yield* new PbsRequestFailed({
      reason: classifyResponse(status, body),
      server: authority(connection),
      endpoint: path,
      status,
      detail: isRedirect ? 'redirects are not followed' : safeText(connection, body),
    })
  })

/** Header values are bytes to Node: a token id may hold letters beyond Latin-1. The server percent-decodes the secret. */
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
