import {
  type Endpoint,
  type EndpointInput,
  type EndpointNotFound,
  type EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Redacted } from 'effect'
import { z } from 'zod'
import { EndpointOut, EndpointTestOut } from '../contract/endpoint.ts'
import { boundedText } from '../foreign-text.ts'
import { type GatewayHttp, type GatewayOptions, gatewayHttp } from '../http/gateway-http.ts'
import { readStatus } from '../proxbox-api.ts'
import { ask, type EndpointCall, isUnexpected, outcomeOf, unavailable } from './endpoint-call.ts'

/**
 * The endpoint routes of a gateway, or of a proxbox-api, as core's `Endpoints`. It brings its own HTTP client (undici)
 * and needs nothing else. Only reads are tried again.
 */
export const endpointsLayer = (options: GatewayOptions): Layer.Layer<Endpoints> =>
  Layer.scoped(
    Endpoints,
    Effect.map(gatewayHttp(options), (http) =>
      Endpoints.of({
        create: Effect.fn('Endpoints.create')(function* (endpoint) {
          const body = () => endpointBody(endpoint)
          const call = { method: 'POST', path: '/pbs/endpoints', body, secrets: secretsOf(endpoint) } as const
          const created = ask(http, call, EndpointOut).pipe(Effect.catchTag('EndpointNotFound', cannotBe))
          return endpointOf(yield* created)
        }),
        get: Effect.fn('Endpoints.get')(function* ({ id }) {
          const call = { method: 'GET', path: pathOf(id), id } as const
          return endpointOf(yield* ask(http, call, EndpointOut).pipe(Effect.catchTag('EndpointRejected', isUnexpected)))
        }),
        update: Effect.fn('Endpoints.update')(function* ({ id, change }) {
          const body = () => endpointBody(change)
          const call = { method: 'PUT', path: pathOf(id), id, body, secrets: secretsOf(change) } as const
          return endpointOf(yield* ask(http, call, EndpointOut))
        }),
        remove: Effect.fn('Endpoints.remove')(function* ({ id }) {
          const call = { method: 'DELETE', path: pathOf(id), id } as const
          yield* ask(http, call, z.unknown()).pipe(Effect.catchTag('EndpointRejected', isUnexpected))
        }),
        test: (request) => testEndpoint(http, request),
      }),
    ),
  )

const pathOf = (id: number) => `/pbs/endpoints/${id}`

const cannotBe = (error: EndpointNotFound) =>
  Effect.fail(new GatewayUnavailable({ message: error.message, cause: error }))

/**
 * Tests a stored endpoint, or one with its secret before it is stored. A proxbox-api has no such
 * route, but says whether a stored one answers.
 */
const testEndpoint = Effect.fn('Endpoints.test')(function* (
  http: GatewayHttp,
  request: { readonly id: number } | EndpointInput,
) {
  const call: EndpointCall = {
    method: 'POST',
    path: '/pbs/endpoints/test',
    ...('id' in request
      ? { id: request.id, body: () => ({ id: request.id }) }
      : { body: () => endpointBody(request), secrets: secretsOf(request) }),
  }
  const answer = yield* Effect.mapError(http.json(call), unavailable)
  if (answer.status !== 405) return yield* outcomeOf(answer, call, EndpointTestOut)
  if ('id' in request) return yield* statusOfStored(http, request.id)
  return yield* Effect.fail(
    new GatewayUnavailable({
      message:
        'this proxbox-api cannot test an endpoint before it is stored: add the server untested, or set the address to a netbox-pbs gateway',
    }),
  )
})

/** A stored endpoint by the status of a proxbox-api. */
function statusOfStored(
  http: GatewayHttp,
  id: number,
): Effect.Effect<EndpointTest, GatewayUnavailable | EndpointRejected | EndpointNotFound> {
  return Effect.gen(function* () {
    const endpoint = yield* ask(http, { method: 'GET', path: `/pbs/endpoints/${id}`, id }, EndpointOut).pipe(
      Effect.catchTag('EndpointRejected', isUnexpected),
    )
    const status = (yield* Effect.mapError(readStatus(http), unavailable)).find((item) => item.endpoint_id === id)
    const disabled = `the endpoint ${endpoint.name} is disabled at the proxbox-api: enable it there`
    return {
      reachable: status?.reachable ?? false,
      version: status?.version ?? null,
      code: null,
      error:
        status === undefined ? disabled : status.reachable ? null : boundedText(status.reason ?? 'it does not answer'),
      presented_fingerprint: null,
      missing_privileges: [],
      acl_commands: [],
    }
  })
}

/** An endpoint as the gateway takes it, with its secret opened. Made when the request is sent, and kept nowhere. */
function endpointBody(endpoint: Partial<EndpointInput>): Readonly<Record<string, unknown>> {
  const { token_secret, fingerprint, name, host, port, token_id, verify_ssl, timeout_seconds } = endpoint
  return {
    name,
    host,
    port,
    token_id,
    token_secret: token_secret === undefined ? undefined : Redacted.value(token_secret),
    fingerprint: fingerprint === '' ? null : fingerprint,
    verify_ssl,
    timeout_seconds,
  }
}

/** An endpoint in core's words: no fingerprint is the empty text. */
function endpointOf(out: EndpointOut): Endpoint {
  const { fingerprint, allow_writes: _, ...endpoint } = out
  return { ...endpoint, fingerprint: fingerprint ?? '' }
}

/** The texts that must not appear in a message about this endpoint. */
const secretsOf = ({ token_secret }: Partial<EndpointInput>): ReadonlyArray<Redacted.Redacted<string>> =>
  token_secret === undefined ? [] : [token_secret]
