import { type Actor, fieldsThatNeedSecret, secretNeeded } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EditValues,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  type ExpectedVersions,
  type GatewayUnavailable,
  InventoryWrites,
  type KeyTaken,
  type ServerGone,
  type ServerRow,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect, type Redacted } from 'effect'
import {
  changedColumns,
  confirmedValues,
  connectionOf,
  endpointInput,
  runDetached,
  versionOf,
  withCompensation,
} from './connection.ts'
import { findServer, ServerNotFound, type ServerPending } from './find-server.ts'
import { keepContact, type ReadPorts, type ServerNotUsable, startRead, tryConnection } from './test-server.ts'

/**
 * A change of a server. `secret` connects one that is inventory only, and replaces the secret of
 * one that is connected.
 */
export interface ServerChange {
  readonly id: number
  /** Validated columns; those left out stay. */
  readonly values: EditValues
  readonly secret: Redacted.Redacted<string> | null
  readonly actor: Actor
  /** Stores a connection that comes with its secret without trying it first. */
  readonly untested?: boolean
  /** Compared by the first write, before the gateway is asked for anything. */
  readonly versions?: ExpectedVersions
}

type Failures =
  | StoreFailed
  | VersionChanged
  | KeyTaken
  | BranchNotOpen
  | BranchOfRun
  | ServerGone
  | GatewayUnavailable
  | EndpointRejected
  | ServerNotFound
  | ServerNotUsable

/**
 * Changes a server. Fields that its endpoint has too (name, host, port, token_id, fingerprint,
 * verify_ssl, timeout_seconds, the secret) change at the gateway first, while the row waits as
 * `pending`; when the gateway rejects the change or does not answer, the row is as before. A stored
 * secret is sent only to the server it was given for (see `fieldsThatNeedSecret`); the gateway
 * checks this too, a proxbox-api does not.
 *
 * A connection that comes with its secret is tested before it is stored, one that changes without it
 * (a new fingerprint) afterwards; the test updates the health, and a working server is read. Returns
 * the test; null: there was none.
 */
export const changeServer = Effect.fn('sync.changeServer')(function* (
  change: ServerChange,
): Effect.fn.Return<EndpointTest | null, Failures | ServerPending, InventoryWrites | Endpoints | ReadPorts> {
  const { secret, untested = false } = change
  const row = yield* findServer(change.id)
  const after = connectionOf(change.values, row.facts)
  const tried = secret === null || untested ? null : yield* tryConnection(endpointInput(after, secret))
  const stored = yield* store(row, { ...change, values: { ...change.values, ...versionOf(tried) } })
  const test = tried ?? (stored && !untested ? yield* testStored(row.facts.endpoint_id) : null)
  if (test === null) return null
  yield* keepContact({ id: row.id, health: row.health, connection: after }, test)
  if (test.error === null) yield* startRead(row.id, change.actor)
  return test
})

/** Whether the connection to the server changed, apart from its name. */
const store = Effect.fn('sync.storeServer')(function* (
  row: ServerRow,
  change: ServerChange,
): Effect.fn.Return<boolean, Failures, InventoryWrites | Endpoints> {
  if (row.facts.endpoint_id === null) {
    if (change.secret === null) yield* write(change, change.values, change.versions)
    else yield* connect(row, change, change.secret)
    return change.secret !== null
  }
  const after = connectionOf(change.values, row.facts)
  const changed = changedColumns(row.facts, after)
  const needing = change.secret === null ? fieldsThatNeedSecret(row.facts, after) : []
  if (needing.length > 0) return yield* new EndpointRejected({ errors: { token_secret: [secretNeeded(needing)] } })
  const atGateway = Object.keys(changed).length > 0 || change.secret !== null
  yield* atGateway ? changeEndpoint(row, row.facts.endpoint_id, change) : write(change, change.values, change.versions)
  return (
    change.secret !== null || Object.keys(changed).some((column) => column !== 'name' && column !== 'timeout_seconds')
  )
})

/** Tests the stored connection of an endpoint; null when the gateway does not answer: the change stays. */
const testStored = (id: number | null) =>
  id === null
    ? Effect.succeed(null)
    : Effect.flatMap(Endpoints, (endpoints) => endpoints.test({ id })).pipe(
        Effect.catchAll((failed) => Effect.as(Effect.logWarning('a changed server was not tested', failed), null)),
      )

/** Writes the row that is to be changed. */
const write = (
  { id, actor }: Pick<ServerChange, 'id' | 'actor'>,
  values: EditValues,
  versions?: ExpectedVersions,
): Effect.Effect<void, Failures, InventoryWrites> =>
  Effect.gen(function* () {
    const writes = yield* InventoryWrites
    yield* Effect.catchTag(
      writes.update({ model: 'server', rows: [{ id, values, versions }], actor }),
      'RowNotFound',
      () => new ServerNotFound({ id }),
    )
  })

/**
 * Gives an endpoint to a server that is inventory only. Its row is never `pending`, because
 * recovery after a crash removes a pending row without an endpoint; here the next sync finds the
 * endpoint by its name.
 */
const connect = (row: ServerRow, server: ServerChange, secret: Redacted.Redacted<string>) =>
  Effect.gen(function* () {
    const before = connectionOf({}, row.facts)
    const after = connectionOf(server.values, before)
    yield* write(server, { ...after }, server.versions)
    const create = (yield* Endpoints).create(endpointInput(after, secret))
    const endpoint = yield* withCompensation(create, write(server, { ...before }))
    yield* write(server, { ...server.values, ...confirmedValues(endpoint) })
  }).pipe(runDetached)

/** When the last write fails the row stays pending, and the next sync gives it the values of its endpoint. */
const changeEndpoint = (row: ServerRow, endpointId: number, server: ServerChange) =>
  Effect.gen(function* () {
    const { values, secret } = server
    const endpoints = yield* Endpoints
    const before = connectionOf({}, row.facts)
    const after = connectionOf(values, before)
    yield* write(server, { ...after, endpoint_state: 'pending' }, server.versions)
    const change = { ...changedColumns(before, after), ...(secret === null ? {} : { token_secret: secret }) }
    const update = Effect.catchTag(endpoints.update({ id: endpointId, change }), 'EndpointNotFound', () =>
      secret === null ? Effect.fail(endpointNotFound) : endpoints.create(endpointInput(after, secret)),
    )
    const endpoint = yield* withCompensation(update, write(server, { ...before, endpoint_state: 'connected' }))
    yield* write(server, { ...values, ...confirmedValues(endpoint) })
  }).pipe(runDetached)

const endpointNotFound = new EndpointRejected({
  errors: { token_secret: ['The gateway no longer knows this server: send its token_secret to connect it again.'] },
})
