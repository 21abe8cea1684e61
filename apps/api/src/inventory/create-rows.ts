import {
  type Actor,
  type Branch,
  type FieldErrors,
  type Filter,
  keyText,
  type ModelName,
  naturalKey,
  type PageRequest,
  pageLimits,
  registry,
} from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EditValues,
  type Endpoints,
  type EndpointTest,
  InventoryLists,
  InventoryWrites,
  type ServedPage,
  type ServerGone,
  type ServerObservations,
  type StoreFailed,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { connectServer, type ServerNotUsable } from '@netbox-pbs/sync'
import { Array as Arr, Effect } from 'effect'
import { badGateway, type HttpError, notFound } from '../rest/http-error.ts'
import { type ReadSecret, readSecret, secretInBulk } from '../servers/read-secret.ts'
import { keyTakenErrors, keyValues, repeatedKeys } from '../validation/unique.ts'
import { referencedByItem, type ValidatedItem, validateItem } from '../validation/validate-item.ts'
import { branchErrors } from './branch-limits.ts'
import { knownServers } from './find-row.ts'

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
  StoreFailed | BranchNotOpen | BranchOfRun | ServerGone | HttpError | ServerNotUsable,
  InventoryWrites | InventoryLists | Endpoints | ServerObservations
> =>
  Effect.gen(function* () {
    const judged = yield* validateItems(model, inputs, branch)
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
        KeyTaken: ({ index }) => rejection(model, items, index),
        EndpointRejected: ({ errors }) =>
          Effect.succeed<CreateResult>({ _tag: 'rejected', errors: [{ index: 0, errors }] }),
        GatewayUnavailable: ({ message }) => Effect.fail(badGateway(message)),
        ServerNotFound: ({ message }) => Effect.fail(notFound(message)),
      }),
    )
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
    if (secret?._tag !== 'secret')
      return { ids: yield* (yield* InventoryWrites).create({ model, rows, actor }), test: null }
    const { endpoint, untested } = secret
    const { id, test } = yield* connectServer({ values: rows[0] ?? {}, secret: endpoint.token_secret, actor, untested })
    return { ids: [id], test }
  })

/** Judges the objects of a body, with the servers they name looked up at once. */
const validateItems = Effect.fn('validateItems')(function* (
  model: WritableModel,
  inputs: ReadonlyArray<unknown>,
  branch: Branch | null,
) {
  const references = inputs.map((input) => referencedByItem(model, input))
  const known = yield* knownServers({
    names: [...new Set(references.flatMap(({ names }) => names))],
    ids: [...new Set(references.flatMap(({ ids }) => ids))],
  })
  return inputs.map((input): ValidatedItem => {
    const item = validateItem(model, input, known, 'whole')
    const limits = branch === null ? {} : branchErrors(model, { row: null, input, values: item.values })
    return { ...item, errors: { ...limits, ...item.errors } }
  })
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

const hasErrors = (errors: FieldErrors): boolean => Object.keys(errors).length > 0

/** Keys asked for at once. */
const chunk = 200

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
    const found = yield* Effect.forEach(Arr.chunksOf(given, chunk), (some) => keysInMain(model, some))
    const taken = new Set(found.flatMap((texts) => [...texts]))
    return new Set(
      [...keys.entries()].flatMap(([place, key]) =>
        key !== null && taken.has(keyText(naturalKey(model, key))) ? [place] : [],
      ),
    )
  })

/**
 * Of these keys those of main, as texts. Asked column by column, so that more rows may come than
 * have one of the keys.
 */
const keysInMain = (
  model: ModelName,
  keys: ReadonlyArray<EditValues>,
): Effect.Effect<ReadonlySet<string>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const filters = keyFilters(model, keys)
    const texts = new Set<string>()
    let start: number | null = 0
    while (start !== null) {
      const page: PageRequest = { _tag: 'cursor', limit: pageLimits.max, start }
      const { rows }: ServedPage<ModelName> = yield* lists.list({ model, filters, search: null, order: [], page })
      for (const row of rows) texts.add(keyText(naturalKey(model, row)))
      const last = rows.at(-1)
      start = rows.length === page.limit && last !== undefined ? last.id + 1 : null
    }
    return texts
  })

function keyFilters(model: ModelName, keys: ReadonlyArray<EditValues>): ReadonlyArray<Filter> {
  return registry[model].key.map((field) => {
    const values = keys
      .map((key) => key[field])
      .filter((value) => typeof value === 'string' || typeof value === 'number')
    return { field, lookup: 'exact', values: [...new Set(values)] }
  })
}
