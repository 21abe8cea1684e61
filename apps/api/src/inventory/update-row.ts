import { type Actor, type ModelName, registry } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type EndpointRefused,
  type Endpoints,
  type GatewayUnavailable,
  type HandValues,
  HandWrites,
  type Inventory,
  type InventoryLists,
  type KeyTaken,
  type StoreFailed,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { changeServer, removeServer, type ServerNotFound, type ServerPending } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { FieldsRefused } from '../http/fields-refused.ts'
import { notFound, type Refused } from '../http/refused.ts'
import { connectionOf, readSecret } from '../servers/read-secret.ts'
import { keyTakenErrors } from '../validation/unique.ts'
import { validateItem, type WriteMode, wantedByItem } from '../validation/validate-item.ts'
import { knownServers } from './resolve-list.ts'
import type { Row } from './row.ts'

/** Changes a row by an object of a body: `whole` needs the required fields, `partial` none. A server's endpoint at the gateway changes with it. */
export const updateRow = (
  model: WritableModel,
  {
    row,
    input,
    mode,
    actor,
  }: {
    readonly row: Row
    readonly input: unknown
    readonly mode: WriteMode
    readonly actor: Actor
  },
): Effect.Effect<void, UpdateFailed, HandWrites | Inventory | InventoryLists | Endpoints> =>
  Effect.gen(function* () {
    const known = yield* knownServers(wantedByItem(model, input))
    const { values, errors } = validateItem(model, input, known, mode)
    const secret = model === 'server' ? readSecret(input, { ...connectionOf(row), ...values }) : null
    const all = secret?._tag === 'refused' ? { ...secret.errors, ...errors } : errors
    if (Object.keys(all).length > 0) return yield* new FieldsRefused({ errors: all })
    const token = secret?._tag === 'secret' ? secret.endpoint.token_secret : null
    if (Object.keys(values).length === 0 && token === null) return
    const change: Effect.Effect<void, UpdateFailed | KeyTaken, HandWrites | Inventory | Endpoints> =
      model === 'server'
        ? changeServer({ id: row.id, values, secret: token, actor })
        : update({ model, id: row.id, values, actor })
    yield* Effect.catchTag(change, 'KeyTaken', () => new FieldsRefused({ errors: keyTakenErrors(model) }))
  })

/** Deletes a row and what is below it; a server's endpoint at the gateway goes first. */
export const removeRow = (
  model: WritableModel,
  { id, actor }: { readonly id: number; readonly actor: Actor },
): Effect.Effect<void, UpdateFailed, HandWrites | Inventory | Endpoints> =>
  Effect.gen(function* () {
    if (model === 'server') return yield* removeServer({ id, actor })
    const writes = yield* HandWrites
    if (!(yield* writes.remove({ model, id, actor }))) return yield* gone(model)
  })

/** Why a row could not be changed. */
export type UpdateFailed =
  | BranchNotOpen
  | FieldsRefused
  | Refused
  | StoreFailed
  | GatewayUnavailable
  | EndpointRefused
  | ServerNotFound
  | ServerPending

const update = (request: {
  readonly model: WritableModel
  readonly id: number
  readonly values: HandValues
  readonly actor: Actor
}) =>
  Effect.gen(function* () {
    const writes = yield* HandWrites
    if (!(yield* writes.update(request))) return yield* gone(request.model)
  })

const gone = (model: ModelName) => Effect.fail(notFound(`No ${registry[model].label} matches the given query.`))
