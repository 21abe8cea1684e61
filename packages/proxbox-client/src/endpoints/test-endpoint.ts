import {
  type EndpointInput,
  type EndpointNotFound,
  type EndpointRejected,
  type EndpointTest,
  GatewayUnavailable,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { EndpointOut, EndpointTestOut } from '../contract/endpoint.ts'
import { boundedText } from '../http/bounded-text.ts'
import type { GatewayHttp } from '../http/gateway-http.ts'
import { readStatus } from '../proxbox-api/routes.ts'
import { endpointBody, secretsOf } from './endpoint-body.ts'
import { ask, type EndpointCall, isUnexpected, outcomeOf, unavailable } from './endpoint-call.ts'

/** Tests a stored endpoint, or one with its secret before it is stored. A proxbox-api has no such route; it can say whether a stored one answers. */
export const testEndpoint = Effect.fn('Endpoints.test')(function* (
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
  if ('id' in request) return yield* lookInstead(http, request.id)
  return yield* Effect.fail(
    new GatewayUnavailable({
      message:
        'this proxbox-api cannot test an endpoint before it is stored: add the server untested, or set the address to a netbox-pbs gateway',
    }),
  )
})

/** What the status of a proxbox-api says of one endpoint. */
function lookInstead(
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
