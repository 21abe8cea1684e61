import {
  type EndpointInput,
  type EndpointNotFound,
  EndpointRefused,
  Endpoints,
  type EndpointTest,
  type GatewayUnavailable,
  type Inventory,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { findServer } from './find-server.ts'
import type { ServerNotFound, ServerPending } from './server-errors.ts'

/** Tries a connection and stores nothing: that of a connected server, by its id, or one that is only thought of. */
export const testServer = Effect.fn('sync.testServer')(function* (
  request: { readonly id: number } | EndpointInput,
): Effect.fn.Return<
  EndpointTest,
  StoreFailed | GatewayUnavailable | EndpointRefused | EndpointNotFound | ServerNotFound | ServerPending,
  Inventory | Endpoints
> {
  const endpoints = yield* Endpoints
  if (!('id' in request)) return yield* endpoints.test(request)
  const { facts } = yield* findServer(request.id)
  if (facts.endpoint_id === null) {
    const errors = { token_secret: ['This server is inventory only: send its token_secret to test it.'] }
    return yield* new EndpointRefused({ errors })
  }
  return yield* endpoints.test({ id: facts.endpoint_id })
})
