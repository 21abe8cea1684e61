import { type SourceErrorCode, SourceFailed } from '@netbox-pbs/core/ports'
import { Duration, Effect, ExecutionStrategy, Exit, Redacted, Schedule, Scope, Stream } from 'effect'
import { Agent, type Dispatcher } from 'undici'
import { apiKeyHeader, ndjsonMediaType } from '../contract/media.ts'
import { bodyBytes } from './body-bytes.ts'
import { type AddressEffect, type CheckedAddress, checkedAddress } from './gateway-address.ts'
import { type Answer, type JsonAnswer, wholeAnswer } from './parse-response.ts'
import { watchSilence } from './silence.ts'
import { statusFailure } from './status-failure.ts'
import { cutOff, transportFailure } from './transport-failure.ts'

/** How long to wait for the gateway. */
export interface Timeouts {
  /** Name resolution, TCP and TLS together. Default 10 seconds. */
  readonly connect?: Duration.DurationInput
  /** Time without a whole line within a sync stream, the first one included. Default 11 minutes: an endpoint's own limit is at most 10. */
  readonly silence?: Duration.DurationInput
  /** A whole call that answers with one document. Default 90 seconds. */
  readonly call?: Duration.DurationInput
}

/** What both layers need. */
export interface GatewayOptions {
  readonly address: AddressEffect
  readonly timeouts?: Timeouts
}

/** One request. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From `/pbs` on. */
  readonly path: string
  readonly accept?: string
  /** Opened and serialised at the last moment, since it may hold a secret. */
  readonly body?: () => unknown
  /** Kept out of every message. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted<string>>
}

/** Calls of the gateway. Every call lives in a scope: closing it closes the connection at once. */
export interface GatewayHttp {
  /** An answer that is neither a redirect, nor 401, 403, 429 or 5xx: those fail. */
  readonly open: (call: Call) => Effect.Effect<Answer, SourceFailed, Scope.Scope>
  /** The status and the JSON of a whole answer. A GET is tried again when the gateway cannot be reached. */
  readonly json: (call: Call) => Effect.Effect<JsonAnswer, SourceFailed>
}

const maxDocumentBytes = 16 * 1024 * 1024
const retryableCodes: ReadonlyArray<SourceErrorCode> = ['unreachable', 'cut_off']
const again = Schedule.intersect(Schedule.exponential('200 millis'), Schedule.recurs(2))

/** An HTTP client of its own: redirects off, and a fresh connection per call, so that no call meets a connection that just went away. */
export const gatewayHttp = Effect.fn('GatewayHttp.make')(function* (options: GatewayOptions) {
  const { connect = '10 seconds', silence = '11 minutes', call: whole = '90 seconds' } = options.timeouts ?? {}
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ pipelining: 0, connect: { timeout: Duration.toMillis(connect) } })),
    (opened) => Effect.promise(() => opened.destroy()),
  )
  const silent = () => timedOut(`said nothing for ${Duration.format(silence)}`)

  const open = Effect.fn('GatewayHttp.open')(function* (call: Call) {
    yield* Effect.annotateCurrentSpan({ 'http.request.method': call.method, 'url.path': call.path })
    const address = yield* checkedAddress(options.address)
    const connection = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const response = yield* request(agent, call, address).pipe(
      Scope.extend(connection),
      Effect.mapError((error) => transportFailure(address.base, error)),
      Effect.timeoutFail({ duration: silence, onTimeout: silent }),
    )
    const watch = yield* watchSilence(Duration.toMillis(silence), Scope.close(connection, Exit.void))
    const isFrames = mediaTypeOf(response) === ndjsonMediaType
    const answer: Answer = {
      status: response.statusCode,
      mediaType: mediaTypeOf(response),
      base: address.base,
      bytes: bodyBytes(response.body).pipe(
        // Of frames a line is progress: a byte now and then is none.
        Stream.pipeThroughChannel(watch.watched<Uint8Array, unknown>(isFrames ? holdsNewline : undefined)),
        Stream.mapError((error) => (watch.expired() ? silent() : cutOff(address.base, error))),
      ),
    }
    yield* statusFailure(
      answer,
      headerOf(response, 'retry-after'),
      [address.key, ...(call.secrets ?? [])].map(Redacted.value),
    )
    return answer
  })

  const json = (call: Call) =>
    Effect.flatMap(open(call), (answer) => wholeAnswer(answer, maxDocumentBytes)).pipe(
      Effect.scoped,
      Effect.timeoutFail({
        duration: whole,
        onTimeout: () => timedOut(`did not answer within ${Duration.format(whole)}`),
      }),
      Effect.retry({
        schedule: again,
        while: (failed) => call.method === 'GET' && failed.retryable && retryableCodes.includes(failed.code),
      }),
    )

  return { open, json } satisfies GatewayHttp
})

/** Sends a call. The connection is closed with the scope, at once, whatever it is doing. */
const request = (
  agent: Agent,
  call: Call,
  address: CheckedAddress,
): Effect.Effect<Dispatcher.ResponseData, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const controller = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (opened) => Effect.sync(() => opened.abort()),
    )
    const response = yield* Effect.tryPromise({
      try: (interrupted) => {
        interrupted.addEventListener('abort', () => controller.abort(), { once: true })
        return agent.request({ ...requestOf(call, address), signal: controller.signal })
      },
      catch: (error) => error,
    })
    // A connection may break between two reads; the next read reports it.
    response.body.on('error', () => undefined)
    return response
  })

function requestOf(call: Call, address: CheckedAddress) {
  const { origin, pathname, search } = new URL(`${address.base}${call.path}`)
  const key = Redacted.value(address.key)
  return {
    origin,
    path: `${pathname}${search}`,
    method: call.method,
    headers: {
      accept: call.accept ?? 'application/json',
      [apiKeyHeader]: key,
      authorization: `Bearer ${key}`,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: call.body === undefined ? null : JSON.stringify(call.body()),
    // Silence is watched here, and only while somebody waits.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
}

const holdsNewline = (bytes: Uint8Array): boolean => bytes.includes(0x0a)

const timedOut = (what: string) =>
  new SourceFailed({
    code: 'timeout',
    message: `the gateway ${what}: look into its log, and check that it can reach its servers`,
    retryable: true,
  })

function mediaTypeOf(response: Dispatcher.ResponseData): string {
  return (headerOf(response, 'content-type') ?? '').split(';', 1).join('').trim().toLowerCase()
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value[0] : value
}
