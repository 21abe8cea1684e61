import { type Actor, type Branch, type ModelName, registry } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EditValues,
  type EndpointRejected,
  type Endpoints,
  type EndpointTest,
  type ExpectedVersions,
  type GatewayUnavailable,
  type Inventory,
  InventoryWrites,
  type KeyTaken,
  type ServerGone,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import {
  changeServer,
  removeServer,
  type ServerNotFound,
  type ServerNotUsable,
  type ServerPending,
} from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { type HttpError, notFound, ValidationFailed } from '../rest/http-error.ts'
import type { Row } from '../rest/row.ts'
import { connectionOf, readSecret } from '../servers/read-secret.ts'
import type { ApiServices } from '../services.ts'
import { keyTakenErrors } from '../validation/unique.ts'
import { referencedByItem, validateItem, type WriteMode } from '../validation/validate-item.ts'
import { knownDefinitions, withAttached } from './attached.ts'
import { branchErrors, branchValues, deletableInBranch } from './branch-limits.ts'
import { foundServers } from './find-row.ts'

/**
 * Changes a row by an object of a body: `whole` needs the required fields, `partial` none; returns
 * the test of a server's connection (null: there was none). A change of a server's connection also
 * changes its endpoint at the gateway; in a branch it is rejected.
 */
export const updateRow = (
  model: WritableModel,
  {
    row,
    input,
    mode,
    actor: user,
    branch,
    versions,
  }: {
    readonly row: Row
    readonly versions?: ExpectedVersions
    readonly input: unknown
    readonly mode: WriteMode
    readonly actor: Actor
    readonly branch: Branch | null
  },
): Effect.Effect<EndpointTest | null, UpdateFailed, ApiServices> =>
  Effect.gen(function* () {
    const known = yield* foundServers([referencedByItem(model, input)])
    const { values, message, errors } = withAttached(model, validateItem(model, input, known, mode), {
      input,
      known: yield* knownDefinitions(model, [input]),
      stored: row.custom_fields,
    })
    const actor = { ...user, message }
    if (branch !== null) {
      const all = { ...branchErrors(model, { row, input, values }), ...errors }
      if (Object.keys(all).length > 0) return yield* new ValidationFailed({ errors: all })
      yield* write(model, update({ model, id: row.id, values: branchValues(model, values), actor, versions }))
      return null
    }
    const secret = model === 'server' ? readSecret(input, { ...connectionOf(row), ...values }) : null
    const all = secret?._tag === 'rejected' ? { ...secret.errors, ...errors } : errors
    if (Object.keys(all).length > 0) return yield* new ValidationFailed({ errors: all })
    const token = secret?._tag === 'secret' ? secret.endpoint.token_secret : null
    if (Object.keys(values).length === 0 && token === null) return null
    const untested = secret?._tag === 'secret' && secret.untested
    if (model === 'server')
      return yield* write(model, changeServer({ id: row.id, values, secret: token, actor, untested, versions }))
    yield* write(model, update({ model, id: row.id, values, actor, versions }))
    return null
  })

const write = <A, R>(
  model: ModelName,
  change: Effect.Effect<A, UpdateFailed | KeyTaken, R>,
): Effect.Effect<A, UpdateFailed, R> =>
  Effect.catchTag(
    change,
    'KeyTaken',
    ({ customField }) => new ValidationFailed({ errors: keyTakenErrors(model, customField) }),
  )

/**
 * Deletes a row and its children; a server's endpoint at the gateway is deleted first. In a branch
 * a server with an endpoint cannot be deleted.
 */
export const removeRow = (
  model: WritableModel,
  {
    row,
    actor,
    branch,
    versions,
  }: {
    readonly row: Row
    readonly versions?: ExpectedVersions
    readonly actor: Actor
    readonly branch: Branch | null
  },
): Effect.Effect<void, UpdateFailed, InventoryWrites | Inventory | Endpoints> =>
  Effect.gen(function* () {
    const { id } = row
    if (branch !== null) yield* deletableInBranch(model, row)
    else if (model === 'server') return yield* removeServer({ id, actor, versions })
    const writes = yield* InventoryWrites
    yield* Effect.catchTag(writes.remove({ model, rows: [{ id, versions }], actor }), 'RowNotFound', () =>
      rowNotFound(model),
    )
  })

/** Why a row could not be changed. */
export type UpdateFailed =
  | BranchNotOpen
  | BranchOfRun
  | ServerGone
  | ValidationFailed
  | HttpError
  | StoreFailed
  | VersionChanged
  | GatewayUnavailable
  | EndpointRejected
  | ServerNotFound
  | ServerNotUsable
  | ServerPending

const update = (request: {
  readonly model: WritableModel
  readonly id: number
  readonly values: EditValues
  readonly actor: Actor
  readonly versions: ExpectedVersions
}) =>
  Effect.gen(function* () {
    const { model, actor, ...row } = request
    if (Object.keys(row.values).length === 0) return
    const writes = yield* InventoryWrites
    yield* Effect.catchTag(writes.update({ model, rows: [row], actor }), 'RowNotFound', () => rowNotFound(model))
  })

const rowNotFound = (model: ModelName) => Effect.fail(notFound(`No ${registry[model].label} matches the given query.`))
