import type { Actor } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type Endpoints,
  type GatewayUnavailable,
  Inventory,
  InventoryWrites,
  type KeyTaken,
  RowNotFound,
  type RowRemoval,
  type RowUpdate,
  type ServerGone,
  type ServerRow,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Clock, Data, Effect, Stream } from 'effect'
import { changedColumns, connectionOf } from './connection.ts'
import { type ServerNotFound, ServerPending } from './find-server.ts'
import { isBusy } from './reconcile-servers.ts'
import { removeServer } from './remove-server.ts'

/**
 * Servers of a request for several whose endpoints at the gateway would have to change, or to go, too. The gateway takes one
 * endpoint at a time, so that a failure in between could not be undone.
 */
export class ServersConnected extends Data.TaggedError('ServersConnected')<{
  /** `fields`: those that the endpoint has too and that would change; for a deletion none. */
  readonly servers: ReadonlyArray<{ readonly id: number; readonly fields: ReadonlyArray<string> }>
}> {
  override get message(): string {
    return `${this.servers.length} servers are connected: send each of them alone`
  }
}

/** Changes several servers, all or none, as far as no endpoint at the gateway has to change with them. */
export const changeServers = Effect.fn('sync.changeServers')(function* ({
  rows,
  actor,
}: {
  readonly rows: ReadonlyArray<RowUpdate>
  readonly actor: Actor
}): Effect.fn.Return<
  void,
  | StoreFailed
  | RowNotFound
  | KeyTaken
  | ServerGone
  | BranchNotOpen
  | BranchOfRun
  | VersionChanged
  | ServerPending
  | ServersConnected,
  Inventory | InventoryWrites
> {
  const found = yield* findServers(rows)
  const connected = rows.flatMap(({ id, values }, place) => {
    const facts = found[place]?.facts
    if (facts === undefined || facts.endpoint_id === null) return []
    const fields = Object.keys(changedColumns(facts, connectionOf(values, facts)))
    return fields.length === 0 ? [] : [{ id, fields }]
  })
  if (connected.length > 0) return yield* new ServersConnected({ servers: connected })
  yield* (yield* InventoryWrites).update({ model: 'server', rows, actor })
})

/** Deletes several servers with their children, all or none; one that is connected only by itself. */
export const removeServers = Effect.fn('sync.removeServers')(function* ({
  rows,
  actor,
}: {
  readonly rows: ReadonlyArray<RowRemoval>
  readonly actor: Actor
}): Effect.fn.Return<
  void,
  | StoreFailed
  | RowNotFound
  | BranchNotOpen
  | BranchOfRun
  | VersionChanged
  | GatewayUnavailable
  | ServerNotFound
  | ServerPending
  | ServersConnected,
  Inventory | InventoryWrites | Endpoints
> {
  const [first, second] = rows
  if (first !== undefined && second === undefined) {
    const { id, versions, message } = first
    return yield* removeServer({ id, versions, actor: message === undefined ? actor : { ...actor, message } })
  }
  const connected = (yield* findServers(rows)).filter(({ facts }) => facts.endpoint_id !== null)
  if (connected.length > 0)
    return yield* new ServersConnected({ servers: connected.map(({ id }) => ({ id, fields: [] })) })
  yield* (yield* InventoryWrites).remove({ model: 'server', rows, actor })
})

/** The servers of some rows, in their order, unless another request is at work on the endpoint of one. */
const findServers = Effect.fn('sync.findServers')(function* (
  rows: ReadonlyArray<RowRemoval>,
): Effect.fn.Return<ReadonlyArray<ServerRow>, StoreFailed | RowNotFound | ServerPending, Inventory> {
  const wanted = new Set(rows.map(({ id }) => id))
  const servers = (yield* Inventory).servers().pipe(Stream.filter(({ id }) => wanted.has(id)))
  const byId = new Map((yield* Stream.runCollect(servers)).pipe((all) => [...all].map((row) => [row.id, row] as const)))
  const now = yield* Clock.currentTimeMillis
  const found: Array<ServerRow> = []
  for (const [index, { id }] of rows.entries()) {
    const row = byId.get(id)
    if (row === undefined) return yield* new RowNotFound({ model: 'server', index })
    if (isBusy(row, now)) return yield* new ServerPending({ name: row.facts.name })
    found.push(row)
  }
  return found
})
