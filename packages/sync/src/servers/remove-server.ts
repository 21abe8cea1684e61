import type { Actor } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  Endpoints,
  type ExpectedVersions,
  type GatewayUnavailable,
  type Inventory,
  InventoryWrites,
  RowNotFound,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { runDetached, withCompensation } from './connection.ts'
import { findServer, ServerNotFound, type ServerPending } from './find-server.ts'

/**
 * Deletes a server, its children and its endpoint; an endpoint that is gone already is no error,
 * and when the gateway does not answer, nothing is deleted. With `versions` the row is first marked
 * as pending under its lock, so that the endpoint is deleted only if the row has one of these
 * versions.
 */
export const removeServer = Effect.fn('sync.removeServer')(function* ({
  id,
  actor,
  versions,
}: {
  readonly id: number
  readonly actor: Actor
  readonly versions?: ExpectedVersions
}): Effect.fn.Return<
  void,
  StoreFailed | VersionChanged | BranchNotOpen | BranchOfRun | GatewayUnavailable | ServerNotFound | ServerPending,
  Inventory | InventoryWrites | Endpoints
> {
  const { facts } = yield* findServer(id)
  const writes = yield* InventoryWrites
  const model = 'server'
  const found = <E>(write: Effect.Effect<void, E | RowNotFound>) =>
    Effect.catchIf(
      write,
      (error): error is Extract<E | RowNotFound, RowNotFound> => error instanceof RowNotFound,
      () => new ServerNotFound({ id }),
    )
  const remove = (requested?: ExpectedVersions) =>
    found(writes.remove({ model, rows: [{ id, versions: requested }], actor }))
  if (facts.endpoint_id === null) return yield* remove(versions)
  const removeEndpoint = Effect.catchTag(
    (yield* Endpoints).remove({ id: facts.endpoint_id }),
    'EndpointNotFound',
    () => Effect.void,
  )
  const removeRow = remove()
  const setState = (state: string, requested?: ExpectedVersions) =>
    // Neither write names a key or a server.
    found(writes.update({ model, rows: [{ id, values: { endpoint_state: state }, versions: requested }], actor })).pipe(
      Effect.catchTags({ KeyTaken: Effect.die, ServerGone: Effect.die }),
    )
  const removeBoth =
    versions === undefined
      ? Effect.zipRight(removeEndpoint, removeRow)
      : setState('pending', versions).pipe(
          Effect.zipRight(withCompensation(removeEndpoint, setState(facts.endpoint_state))),
          Effect.zipRight(removeRow),
        )
  yield* runDetached(removeBoth)
})
