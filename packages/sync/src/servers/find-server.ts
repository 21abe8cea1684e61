import { Inventory, type ServerRow, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Data, Effect, Option } from 'effect'
import { isBusy } from './reconcile-servers.ts'

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

/** There is no server of that id. */
export class ServerNotFound extends Data.TaggedError('ServerNotFound')<{ readonly id: number }> {
  override get message(): string {
    return `there is no server ${this.id}`
  }
}

/** Another request is connecting or changing this server. */
export class ServerPending extends Data.TaggedError('ServerPending')<{ readonly name: string }> {
  override get message(): string {
    return `${this.name} is being connected or changed by another request; try again in two minutes`
  }
}
