import { Inventory, type ServerRow, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { isBusy } from './reconcile-servers.ts'
import { ServerNotFound, ServerPending } from './server-errors.ts'

/** The server of an id, unless another request is at work on its endpoint. */
export const findServer = Effect.fn('sync.findServer')(function* (
  id: number,
): Effect.fn.Return<ServerRow, StoreFailed | ServerNotFound | ServerPending, Inventory> {
  const row = yield* (yield* Inventory).server({ id })
  if (Option.isNone(row)) return yield* new ServerNotFound({ id })
  if (isBusy(row.value, yield* Clock.currentTimeMillis)) {
    return yield* new ServerPending({ name: row.value.facts.name })
  }
  return row.value
})
