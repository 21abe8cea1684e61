import type { Actor } from '@netbox-pbs/core'
import {
  type EndpointInput,
  type EndpointNotFound,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  type GatewayUnavailable,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { connectionOf } from './connection.ts'
import { findServer } from './find-server.ts'
import type { ServerNotFound, ServerPending } from './server-errors.ts'
import { isWell, keepContact, type ReadPorts, startRead } from './test-outcome.ts'

/**
 * Tries a connection: that of a connected server, by its id, or one that is only thought of, of which nothing is kept. What the connected one tells becomes its health at once, and one that was in
 * trouble, or never heard of, is read when it is well.
 */
export const testServer = Effect.fn('sync.testServer')(function* (
  request: { readonly id: number; readonly actor: Actor } | EndpointInput,
): Effect.fn.Return<
  EndpointTest,
  StoreFailed | GatewayUnavailable | EndpointRejected | EndpointNotFound | ServerNotFound | ServerPending,
  Endpoints | ReadPorts
> {
  const endpoints = yield* Endpoints
  if (!('id' in request)) return yield* endpoints.test(request)
  const { id, facts, health } = yield* findServer(request.id)
  if (facts.endpoint_id === null) {
    const errors = { token_secret: ['This server is inventory only: send its token_secret to test it.'] }
    return yield* new EndpointRejected({ errors })
  }
  const test = yield* endpoints.test({ id: facts.endpoint_id })
  yield* keepContact({ id, health, connection: connectionOf({}, facts) }, test)
  if (test.error === null && !isWell(health)) yield* startRead(request.id, request.actor)
  return test
})
