import type { Actor } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EndpointRefused,
  Endpoints,
  type GatewayUnavailable,
  type HandValues,
  HandWrites,
  type KeyTaken,
  type ServerGone,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, type Redacted } from 'effect'
import { confirmedValues, connectionOf, endpointInput, newConnection } from './connection.ts'
import { ServerNotFound } from './server-errors.ts'
import { toTheEnd } from './to-the-end.ts'
import { undoing } from './undoing.ts'

/** A server to be made. `secret` connects it; without one it is inventory only. */
export interface NewServer {
  /** Validated columns. */
  readonly values: HandValues
  readonly secret: Redacted.Redacted<string> | null
  readonly actor: Actor
}

/**
 * Makes a server and gives its id. With a secret the row waits as `pending` while the gateway is asked for an endpoint, in no transaction, and is then
 * connected; when the gateway refuses or does not answer, nothing is kept. It cannot be interrupted half-way, and what a crash leaves pending the next
 * sync of the servers settles.
 */
export const connectServer = Effect.fn('sync.connectServer')(function* ({
  values,
  secret,
  actor,
}: NewServer): Effect.fn.Return<
  number,
  | StoreFailed
  | KeyTaken
  | BranchNotOpen
  | BranchOfRun
  | ServerGone
  | GatewayUnavailable
  | EndpointRefused
  | ServerNotFound,
  HandWrites | Endpoints
> {
  const writes = yield* HandWrites
  const endpoints = yield* Endpoints
  const model = 'server'
  if (secret === null) return first(yield* writes.create({ model, rows: [values], actor }))
  return yield* Effect.gen(function* () {
    const id = first(yield* writes.create({ model, rows: [{ ...values, endpoint_state: 'pending' }], actor }))
    const input = endpointInput(connectionOf(values, newConnection), secret)
    const endpoint = yield* undoing(endpoints.create(input), writes.remove({ model, id, actor }))
    const confirm = Effect.filterOrFail(
      writes.update({ model, id, values: confirmedValues(endpoint), actor }),
      (found) => found,
      () => new ServerNotFound({ id }),
      // No version was asked for.
    ).pipe(Effect.catchTag('VersionChanged', Effect.die))
    const undo = Effect.zipRight(endpoints.remove({ id: endpoint.id }), writes.remove({ model, id, actor }))
    yield* undoing(confirm, undo)
    return id
  }).pipe(toTheEnd)
})

/** The only id of a create of one row. */
function first([id]: ReadonlyArray<number>): number {
  if (id === undefined) throw new Error('a create of one row gave no id')
  return id
}
