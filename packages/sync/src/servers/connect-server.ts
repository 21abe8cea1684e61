import type { Actor } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EditValues,
  type EndpointRejected,
  Endpoints,
  type EndpointTest,
  type GatewayUnavailable,
  InventoryWrites,
  type KeyTaken,
  type ServerGone,
  type ServerObservations,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, type Redacted } from 'effect'
import {
  confirmedValues,
  connectionOf,
  endpointInput,
  newConnection,
  runDetached,
  versionOf,
  withCompensation,
} from './connection.ts'
import { ServerNotFound } from './find-server.ts'
import { keepContact, type ServerNotUsable, tryConnection } from './test-server.ts'

/** A server to be made. `secret` connects it; without one it is inventory only. */
export interface NewServer {
  /** Validated columns. */
  readonly values: EditValues
  readonly secret: Redacted.Redacted<string> | null
  readonly actor: Actor
  /** Stores the connection without trying it first. */
  readonly untested?: boolean
}

/** A created server. `test` is the test of its connection; null: there was none. */
export interface ConnectedServer {
  readonly id: number
  readonly test: EndpointTest | null
}

/**
 * Makes a server; with a secret its connection is tested first, and a failed test stores nothing.
 * The row waits as `pending`, outside any transaction, while the gateway makes the endpoint, and is
 * removed if the gateway fails; the next sync of the servers reconciles a row that a crash left
 * pending.
 */
export const connectServer = Effect.fn('sync.connectServer')(function* ({
  values,
  secret,
  actor,
  untested = false,
}: NewServer): Effect.fn.Return<
  ConnectedServer,
  | StoreFailed
  | KeyTaken
  | BranchNotOpen
  | BranchOfRun
  | ServerGone
  | GatewayUnavailable
  | EndpointRejected
  | ServerNotFound
  | ServerNotUsable,
  InventoryWrites | Endpoints | ServerObservations
> {
  const writes = yield* InventoryWrites
  const endpoints = yield* Endpoints
  const model = 'server'
  if (secret === null) return { id: first(yield* writes.create({ model, rows: [values], actor })), test: null }
  const connection = connectionOf(values, newConnection)
  const input = endpointInput(connection, secret)
  const test = untested ? null : yield* tryConnection(input)
  return yield* Effect.gen(function* () {
    const id = first(yield* writes.create({ model, rows: [{ ...values, endpoint_state: 'pending' }], actor }))
    const removeRow = Effect.catchTag(writes.remove({ model, rows: [{ id }], actor }), 'RowNotFound', () => Effect.void)
    const endpoint = yield* withCompensation(endpoints.create(input), removeRow)
    const confirmed = { ...versionOf(test), ...confirmedValues(endpoint) }
    const confirm = writes.update({ model, rows: [{ id, values: confirmed }], actor }).pipe(
      Effect.catchTag('RowNotFound', () => new ServerNotFound({ id })),
      // No version was asked for.
      Effect.catchTag('VersionChanged', Effect.die),
    )
    const undo = Effect.zipRight(endpoints.remove({ id: endpoint.id }), removeRow)
    yield* withCompensation(confirm, undo)
    if (test !== null) yield* keepContact({ id, health: null, connection }, test)
    return { id, test }
  }).pipe(runDetached)
})

/** The only id of a create of one row. */
function first([id]: ReadonlyArray<number>): number {
  if (id === undefined) throw new Error('a create of one row gave no id')
  return id
}
