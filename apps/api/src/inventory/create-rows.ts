import {
  type Actor,
  type Branch,
  type FieldErrors,
  keyText,
  type ModelName,
  naturalKey,
  registry,
} from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type DefinitionStore,
  type EditValues,
  type Endpoints,
  type EndpointTest,
  type InventoryLists,
  InventoryWrites,
  type ServerObservations,
  type StoreFailed,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { connectServer, type ServerNotUsable } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { badGateway, type HttpError, notFound, serverGoneErrors } from '../rest/http-error.ts'
import { type ReadSecret, readSecret, secretInBulk } from '../servers/read-secret.ts'
import { keyTakenErrors, keyValues, repeatedKeys } from '../validation/unique.ts'
import { hasErrors, type ValidatedItem } from '../validation/validate-item.ts'
import { keyHolders } from './key-holders.ts'
import { validateItems } from './validate-items.ts'

/** The created rows, or the errors of the rows at fault; then none was created. */
type CreateResult =
  /** `test`: the test of a server's connection; null: there was none. */
  | { readonly _tag: 'created'; readonly ids: ReadonlyArray<number>; readonly test: EndpointTest | null }
  | {
      readonly _tag: 'rejected'
      readonly errors: ReadonlyArray<{ readonly index: number; readonly errors: FieldErrors }>
    }

/**
 * Creates rows from the objects of a body, all or none, and reports every wrong object, also those
 * whose key is taken or comes twice. A server with a `token_secret` is tested and connected, so it
 * must be the only object, and 502 means that the gateway does not answer; in a branch no secret is
 * accepted.
 */
export const createRows = (
  model: WritableModel,
  inputs: ReadonlyArray<unknown>,
  { actor, branch, bulk = false }: { readonly actor: Actor; readonly branch: Branch | null; readonly bulk?: boolean },
): Effect.Effect<
  CreateResult,
  StoreFailed | BranchNotOpen | BranchOfRun | HttpError | ServerNotUsable,
  InventoryWrites | InventoryLists | DefinitionStore | Endpoints | ServerObservations
> =>
  Effect.gen(function* () {
    const judged = yield* validateItems(
      model,
      inputs.map((input) => ({ input, row: null })),
      { mode: 'whole', branch },
    )
    const secrets = inputs.map((input, index) =>
      model === 'server' && branch === null ? readSecret(input, judged[index]?.values ?? {}) : null,
    )
    const items = judged.map((item, index) => withSecret(item, secrets[index] ?? null, bulk))
    const invalid = items.some(({ errors }) => hasErrors(errors))
    const repeated = repeatedKeys(model, judgedKeys(model, items))
    if (invalid || repeated.size > 0) return yield* rejection(model, items)
    if (items.length === 0) return { _tag: 'created', ids: [], test: null }
    const secret = secrets.find((read) => read !== null) ?? null
    // No server is tried for a name that is taken.
    if (secret !== null && (yield* takenKeys(model, judgedKeys(model, items))).size > 0)
      return yield* rejection(model, items)
    return yield* write(model, items, { secret, actor }).pipe(
      Effect.map((made): CreateResult => ({ _tag: 'created', ...made })),
      Effect.catchTags({
        KeyTaken: ({ index, customField }) =>
          customField === undefined
            ? rejection(model, items, index)
            : Effect.succeed(rejectedOne(index, keyTakenErrors(model, customField))),
        ServerGone: ({ id, index }) => Effect.succeed(rejectedOne(index, serverGoneErrors(id))),
        EndpointRejected: ({ errors }) => Effect.succeed(rejectedOne(0, errors)),
        GatewayUnavailable: ({ message }) => Effect.fail(badGateway(message)),
        ServerNotFound: ({ message }) => Effect.fail(notFound(message)),
      }),
    )
  })

const rejectedOne = (index: number, errors: FieldErrors): CreateResult => ({
  _tag: 'rejected',
  errors: [{ index, errors }],
})

/** The errors of a row with those of its secret; a field that is wrong already is not judged again. */
function withSecret(item: ValidatedItem, secret: ReadSecret | null, bulk: boolean): ValidatedItem {
  if (secret === null) return item
  if (bulk) return { ...item, errors: { ...item.errors, ...secretInBulk } }
  return secret._tag === 'secret' ? item : { ...item, errors: { ...secret.errors, ...item.errors } }
}

const write = (
  model: WritableModel,
  items: ReadonlyArray<ValidatedItem>,
  { secret, actor }: { readonly secret: ReadSecret | null; readonly actor: Actor },
) =>
  Effect.gen(function* () {
    const rows = items.map(({ values }) => values)
    const messages = items.map(({ message }) => message)
    if (secret?._tag !== 'secret')
      return { ids: yield* (yield* InventoryWrites).create({ model, rows, messages, actor }), test: null }
    const { endpoint, untested } = secret
    const { id, test } = yield* connectServer({
      values: rows[0] ?? {},
      secret: endpoint.token_secret,
      actor: { ...actor, message: messages[0] ?? '' },
      untested,
    })
    return { ids: [id], test }
  })

/**
 * The refusal with all its reasons. `index` is a row that the store found taken: it is named even
 * when its rival is gone by now.
 */
const rejection = (model: WritableModel, items: ReadonlyArray<ValidatedItem>, index?: number) =>
  Effect.gen(function* () {
    const keys = judgedKeys(model, items)
    const taken = new Set([
      ...repeatedKeys(model, keys),
      ...(yield* takenKeys(model, keys)),
      ...(index === undefined ? [] : [index]),
    ])
    const errors = items
      .map((item, place) => ({
        index: place,
        errors: taken.has(place) ? { ...item.errors, ...keyTakenErrors(model) } : item.errors,
      }))
      .filter((item) => hasErrors(item.errors))
    return { _tag: 'rejected' as const, errors }
  })

/**
 * The keys to check: a key of one field by itself, a key of several only in a row without other
 * errors, as NetBox does.
 */
const judgedKeys = (model: WritableModel, items: ReadonlyArray<ValidatedItem>) =>
  items.map(({ values, errors }) =>
    registry[model].key.length > 1 && hasErrors(errors) ? null : keyValues(model, values),
  )

/**
 * Positions of keys that rows of main have already. This only explains the rejection, which the
 * store's constraint makes.
 */
const takenKeys = (
  model: ModelName,
  keys: ReadonlyArray<EditValues | null>,
): Effect.Effect<ReadonlySet<number>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const given = keys.filter((key) => key !== null)
    const taken = yield* keyHolders(model, given)
    return new Set(
      [...keys.entries()].flatMap(([place, key]) =>
        key !== null && taken.has(keyText(naturalKey(model, key))) ? [place] : [],
      ),
    )
  })
