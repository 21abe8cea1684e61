// By module: the barrels load servers, sockets and clusters too, 100 MB of them.
import * as Headers from '@effect/platform/Headers'
import * as HttpClient from '@effect/platform/HttpClient'
import type * as HttpClientError from '@effect/platform/HttpClientError'
import * as HttpClientRequest from '@effect/platform/HttpClientRequest'
import type * as HttpClientResponse from '@effect/platform/HttpClientResponse'
import * as NodeHttpClient from '@effect/platform-node/NodeHttpClient'
import * as Undici from '@effect/platform-node/Undici'
import { type SourceErrorCode, SourceFailed } from '@netbox-pbs/core/ports'
import { Duration, Effect, ExecutionStrategy, Exit, Redacted, Schedule, Scope, Stream } from 'effect'
import { apiKeyHeader } from '../contract/media.ts'
import { type Answer, type JsonAnswer, wholeAnswer } from './answer.ts'
import { type AddressEffect, type CheckedAddress, checkedAddress } from './gateway-address.ts'
import { watchSilence } from './silence.ts'
import { statusFailure } from './status-failure.ts'
import { cutOff, transportFailure } from './transport-failure.ts'

/** How long to wait for the gateway. */
export interface Timeouts {
  /** Name resolution, TCP and TLS together. Default 10 seconds. */
  readonly connect?: Duration.DurationInput
  /** Silence within a sync stream, its first byte included. Default 11 minutes: an endpoint's own limit is at most 10. */
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
const worthAgain: ReadonlyArray<SourceErrorCode> = ['unreachable', 'cut_off']
const again = Schedule.intersect(Schedule.exponential('200 millis'), Schedule.recurs(2))

/** An HTTP client of its own: redirects off, and a fresh connection per call, so that no call meets a connection that just went away. */
export const gatewayHttp = Effect.fn('GatewayHttp.make')(function* (options: GatewayOptions) {
  const { connect = '10 seconds', silence = '11 minutes', call: whole = '90 seconds' } = options.timeouts ?? {}
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Undici.Agent({ pipelining: 0, connect: { timeout: Duration.toMillis(connect) } })),
    (opened) => Effect.promise(() => opened.destroy()),
  )
  const client = HttpClient.withScope(NodeHttpClient.makeUndici(agent))
  const silent = () => timedOut(`said nothing for ${Duration.format(silence)}`)

  const open = Effect.fn('GatewayHttp.open')(function* (call: Call) {
    const address = yield* checkedAddress(options.address)
    const connection = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const response = yield* client.execute(requestOf(call, address)).pipe(
      Scope.extend(connection),
      Effect.locally(Headers.currentRedactedNames, [apiKeyHeader.toLowerCase(), 'authorization']),
      Effect.mapError((error) => transportFailure(address.base, error)),
      Effect.timeoutFail({ duration: silence, onTimeout: silent }),
    )
    const watch = yield* watchSilence(Duration.toMillis(silence), Scope.close(connection, Exit.void))
    const answer: Answer = {
      status: response.status,
      mediaType: mediaTypeOf(response),
      base: address.base,
      bytes: response.stream.pipe(
        Stream.pipeThroughChannel(watch.watched<Uint8Array, HttpClientError.ResponseError>()),
        Stream.mapError((error) => (watch.expired() ? silent() : cutOff(address.base, error))),
      ),
    }
    yield* statusFailure(answer, response.headers, [address.key, ...(call.secrets ?? [])].map(Redacted.value))
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
        while: (failed) => call.method === 'GET' && failed.retryable && worthAgain.includes(failed.code),
      }),
    )

  return { open, json } satisfies GatewayHttp
})

function requestOf(call: Call, address: CheckedAddress): HttpClientRequest.HttpClientRequest {
  const key = Redacted.value(address.key)
  const request = HttpClientRequest.make(call.method)(`${address.base}${call.path}`, {
    headers: {
      accept: call.accept ?? 'application/json',
      [apiKeyHeader]: key,
      authorization: `Bearer ${key}`,
    },
  })
  return call.body === undefined
    ? request
    : HttpClientRequest.bodyText(request, JSON.stringify(call.body()), 'application/json')
}

const timedOut = (what: string) =>
  new SourceFailed({
    code: 'timeout',
    message: `the gateway ${what}: look into its log, and check that it can reach its servers`,
    retryable: true,
  })

function mediaTypeOf(response: HttpClientResponse.HttpClientResponse): string {
  return (response.headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase()
}
