import { type EndpointNotFound, Endpoints, GatewayUnavailable } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { z } from 'zod'
import { EndpointOut } from '../contract/endpoint.ts'
import { type GatewayOptions, gatewayHttp } from '../http/gateway-http.ts'
import { endpointBody, endpointOf, secretsOf } from './endpoint-body.ts'
import { ask, isUnexpected } from './endpoint-call.ts'
import { testEndpoint } from './test-endpoint.ts'

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
