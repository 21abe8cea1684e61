import type { Actor } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  Endpoints,
  type GatewayUnavailable,
  HandWrites,
  type Inventory,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { findServer } from './find-server.ts'
import { ServerNotFound, type ServerPending } from './server-errors.ts'
import { toTheEnd } from './to-the-end.ts'

/**
 * Deletes a server, its endpoint at the gateway and what is below it. An endpoint that is gone already is fine; when the gateway does not answer,
 * nothing is deleted.
 */
export const removeServer = Effect.fn('sync.removeServer')(function* ({
  id,
  actor,
}: {
  readonly id: number
  readonly actor: Actor
}): Effect.fn.Return<
  void,
  StoreFailed | BranchNotOpen | GatewayUnavailable | ServerNotFound | ServerPending,
  Inventory | HandWrites | Endpoints
> {
  const { facts } = yield* findServer(id)
  const removeRow = Effect.filterOrFail(
    (yield* HandWrites).remove({ model: 'server', id, actor }),
    (found) => found,
    () => new ServerNotFound({ id }),
  )
  if (facts.endpoint_id === null) return yield* Effect.asVoid(removeRow)
  const removeEndpoint = Effect.catchTag(
    (yield* Endpoints).remove({ id: facts.endpoint_id }),
    'EndpointNotFound',
    () => Effect.void,
  )
  yield* toTheEnd(Effect.zipRight(removeEndpoint, removeRow))
})
