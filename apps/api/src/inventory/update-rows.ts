import { type Actor, type Branch, compareInModelOrder, keyText, naturalKey, registry } from '@netbox-pbs/core'
import { InventoryWrites, type RowUpdate, type WritableModel } from '@netbox-pbs/core/ports'
import { changeServers } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { serverGoneErrors } from '../rest/http-error.ts'
import { hasSecret, secretInBulk } from '../servers/read-secret.ts'
import { blockedMoves, keyTakenErrors } from '../validation/unique.ts'
import { hasErrors, type ValidatedItem, type WriteMode } from '../validation/validate-item.ts'
import { type BulkTarget, bulkError, type ObjectErrors, objectsNotFound } from './bulk-targets.ts'
import { keyHolders } from './key-holders.ts'
import { updateRow } from './update-row.ts'
import { validateItems } from './validate-items.ts'

/** The author of a bulk write, and where it goes. */
interface Request {
  readonly mode: WriteMode
  readonly actor: Actor
  readonly branch: Branch | null
}

/**
 * Changes rows by the objects of a body, all or none: every object is judged, then all are written
 * with one call. An error names each object at fault by its id, in the order of the model. A single
 * server may change its connection too; of several, one whose endpoint at the gateway would have to
 * change is refused.
 */
export const updateRows = Effect.fn('updateRows')(function* (
  model: WritableModel,
  targets: ReadonlyArray<BulkTarget>,
  { mode, actor, branch }: Request,
) {
  const refused = (errors: ReadonlyArray<ObjectErrors>) => bulkError('could not be updated', targets.length, errors)
  const [only] = targets
  if (only === undefined) return
  if (model === 'server' && branch === null) {
    const withSecret = targets.filter(({ input }) => hasSecret(input))
    if (withSecret.length > 0) return yield* refused(withSecret.map(({ id }) => ({ id, errors: secretInBulk })))
    if (targets.length === 1) {
      const { id, row, input } = only
      const failed = ({ errors }: Pick<ObjectErrors, 'errors'>) => refused([{ id, errors }])
      yield* updateRow(model, { row, input, mode, actor, branch }).pipe(
        Effect.catchTags({ ValidationFailed: failed, EndpointRejected: failed }),
      )
      return
    }
  }
  const items = yield* validateItems(model, targets, { mode, branch })
  const errors = yield* errorsOf(model, targets, items)
  if (errors.length > 0) return yield* refused(errors)
  const rows = targets.flatMap(({ id }, place): ReadonlyArray<RowUpdate> => {
    const { values = {}, message = '' } = items[place] ?? {}
    return Object.keys(values).length === 0 ? [] : [{ id, values, message }]
  })
  const errorsOfPlace = (place: number, of: ObjectErrors['errors']) =>
    refused([{ id: rows[place]?.id ?? 0, errors: of }])
  const write = Effect.gen(function* () {
    if (model === 'server' && branch === null) return yield* changeServers({ rows, actor })
    const writes = yield* InventoryWrites
    return yield* writes.update({ model, rows, actor })
  })
  yield* write.pipe(
    Effect.catchTags({
      KeyTaken: ({ index, customField }) => errorsOfPlace(index, keyTakenErrors(model, customField)),
      ServerGone: ({ id, index }) => errorsOfPlace(index, serverGoneErrors(id)),
      RowNotFound: ({ index }) => objectsNotFound([rows[index]?.id ?? 0], targets.length),
      ServersConnected: ({ servers }) =>
        refused(
          servers.map(({ id, fields }) => ({
            id,
            errors: Object.fromEntries(fields.map((field) => [field, [connectedAlone]])),
          })),
        ),
    }),
  )
})

const connectedAlone =
  'This server is connected, and its endpoint at the gateway changes with this field: send the server alone.'

/** The errors of all objects, in the order of the model. */
const errorsOf = (model: WritableModel, targets: ReadonlyArray<BulkTarget>, items: ReadonlyArray<ValidatedItem>) =>
  Effect.gen(function* () {
    const blocked = yield* blockedTargets(model, targets, items)
    const inOrder = compareInModelOrder(model)
    return targets
      .map(({ id, row }, place) => {
        const { errors = {} } = items[place] ?? {}
        return { id, row, errors: blocked.has(place) ? { ...errors, ...keyTakenErrors(model) } : errors }
      })
      .filter(({ errors }) => hasErrors(errors))
      .toSorted((a, b) => inOrder(a.row, b.row))
      .map(({ id, errors }) => ({ id, errors }))
  })

/** Places of the objects that get a key that is not free. Nothing is asked where no key changes. */
const blockedTargets = (
  model: WritableModel,
  targets: ReadonlyArray<BulkTarget>,
  items: ReadonlyArray<ValidatedItem>,
) =>
  Effect.gen(function* () {
    const { key } = registry[model]
    const renamed: Array<Readonly<Record<string, unknown>>> = []
    const moves = targets.map(({ id, row }, place) => {
      const { values = {}, errors = {} } = items[place] ?? {}
      const from = keyText(naturalKey(model, row))
      // A key of several fields is judged only in an object without other errors, as NetBox does.
      const isJudged = key.length === 1 || !hasErrors(errors)
      const after = { ...row, ...values }
      const to = isJudged ? keyText(naturalKey(model, after)) : from
      if (from !== to) renamed.push(after)
      return { id, from, to }
    })
    return renamed.length === 0 ? new Set<number>() : blockedMoves(moves, yield* keyHolders(model, renamed))
  })
