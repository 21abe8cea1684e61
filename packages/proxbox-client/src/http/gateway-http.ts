import { type SourceErrorCode, SourceFailed } from '@netbox-pbs/core/ports'
import { Duration, Effect, ExecutionStrategy, Exit, Redacted, Schedule, Scope, Stream } from 'effect'
import { Agent, type Dispatcher } from 'undici'
import { apiKeyHeader, ndjsonMediaType } from '../contract/sync-request.ts'
import { bodyBytes, watchSilence } from './body-bytes.ts'
import {
  cutOff,
  type GatewayResponse,
  type JsonResponse,
  readJson,
  statusFailure,
  transportFailure,
} from './response.ts'

/** How long to wait for the gateway. */
export interface Timeouts {
  /** Name resolution, TCP and TLS together. Default 10 seconds. */
  readonly connect?: Duration.DurationInput
  /**
   * Time without a whole line within a sync stream, the first one included. Default 11 minutes: an
   * endpoint's own limit is at most 10.
   */
  readonly silence?: Duration.DurationInput
  /** A whole call that answers with one document. Default 90 seconds. */
  readonly call?: Duration.DurationInput
}

/** The options of both layers. */
export interface GatewayOptions {
  readonly address: AddressEffect
  readonly timeouts?: Timeouts
  /** The way to the gateway instead of sockets, for one in the same process; its owner closes it. */
  readonly dispatcher?: Dispatcher
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
  readonly open: (call: Call) => Effect.Effect<GatewayResponse, SourceFailed, Scope.Scope>
  /** The status and the JSON of a whole answer. A GET is tried again when the gateway cannot be reached. */
  readonly json: (call: Call) => Effect.Effect<JsonResponse, SourceFailed>
}

const maxDocumentBytes = 16 * 1024 * 1024
const retryableCodes: ReadonlyArray<SourceErrorCode> = ['unreachable', 'cut_off']
const again = Schedule.intersect(Schedule.exponential('200 millis'), Schedule.recurs(2))

/**
 * An HTTP client without redirects. Each call has a fresh connection, so that none meets one that
 * the gateway just closed.
 */
export const gatewayHttp = Effect.fn('GatewayHttp.make')(function* (options: GatewayOptions) {
  const { connect = '10 seconds', silence = '11 minutes', call: whole = '90 seconds' } = options.timeouts ?? {}
  const agent =
    options.dispatcher ??
    (yield* Effect.acquireRelease(
      Effect.sync(() => new Agent({ pipelining: 0, connect: { timeout: Duration.toMillis(connect) } })),
      (opened) => Effect.promise(() => opened.destroy()),
    ))
  const silent = () => timedOut(`sent nothing for ${Duration.format(silence)}`)

  const open = Effect.fn('GatewayHttp.open')(function* (call: Call) {
    yield* Effect.annotateCurrentSpan({ 'http.request.method': call.method, 'url.path': call.path })
    const address = yield* checkedAddress(options.address)
    const connection = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const received = yield* request(agent, call, address).pipe(
      Scope.extend(connection),
      Effect.mapError((error) => transportFailure(address.base, error)),
      Effect.timeoutFail({ duration: silence, onTimeout: silent }),
    )
    const watch = yield* watchSilence(Duration.toMillis(silence), Scope.close(connection, Exit.void))
    const isFrames = mediaTypeOf(received) === ndjsonMediaType
    const response: GatewayResponse = {
      status: received.statusCode,
      mediaType: mediaTypeOf(received),
      base: address.base,
      bytes: bodyBytes(received.body).pipe(
        // In a stream of frames only a whole line is progress.
        Stream.pipeThroughChannel(watch.watched<Uint8Array, unknown>(isFrames ? holdsNewline : undefined)),
        Stream.mapError((error) => (watch.expired() ? silent() : cutOff(address.base, error))),
      ),
    }
    yield* statusFailure(
      response,
      headerOf(received, 'retry-after'),
      [address.key, ...(call.secrets ?? [])].map(Redacted.value),
    )
    return response
  })

  const json = (call: Call) =>
    Effect.flatMap(open(call), (response) => readJson(response, maxDocumentBytes)).pipe(
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

/** Sends a call. Closing the scope closes its connection at once. */
const request = (
  agent: Dispatcher,
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
    // watchSilence measures the time instead, and only while a reader waits.
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

/** The address of the gateway, and our key there. */
export interface GatewayAddress {
  /** `http://127.0.0.1:8800`; a path before `/pbs` is kept. */
  readonly url: string
  readonly key: Redacted.Redacted<string>
}

/** Run at every call, since settings may change at any time. The message of a failure is shown to the operator. */
export type AddressEffect = Effect.Effect<GatewayAddress, { readonly message: string }>

/** An address that was checked: safe to show and to call. */
interface CheckedAddress {
  /** Without credentials, query, fragment or trailing slash. */
  readonly base: string
  readonly key: Redacted.Redacted<string>
}

/** Reads the address and refuses one that cannot be called, without repeating its content. */
function checkedAddress(address: AddressEffect): Effect.Effect<CheckedAddress, SourceFailed> {
  return Effect.flatMap(
    Effect.mapError(
      address,
      (cause) => new SourceFailed({ code: 'unreachable', message: cause.message, retryable: true, cause }),
    ),
    ({ url, key }) => {
      const parsed = URL.canParse(url) ? new URL(url) : null
      if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
        return reject('the address of the gateway is not an http or https URL: correct it, like http://127.0.0.1:8800')
      }
      if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
        return reject('the address of the gateway must have no user, password, query or fragment: remove them')
      }
      if (!/^[\x21-\x7e]*$/.test(Redacted.value(key))) {
        return reject('the key of the gateway holds characters that no HTTP header can carry: enter it again')
      }
      return Effect.succeed({ base: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`, key })
    },
  )
}

const reject = (message: string) => Effect.fail(new SourceFailed({ code: 'protocol', message, retryable: false }))
