import type { Actor, Branch } from '@netbox-pbs/core'
import { InventoryWrites, type WritableModel } from '@netbox-pbs/core/ports'
import { removeServers } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { hasErrors, validateRemoval } from '../validation/validate-item.ts'
import { deletableInBranch } from './branch-limits.ts'
import { type BulkObject, bulkError, bulkTargets, objectsNotFound } from './bulk-targets.ts'

/**
 * Deletes rows and their children, all or none, with one call. A server whose endpoint at the
 * gateway would have to be deleted too is refused, unless it is the only one.
 */
export const removeRows = Effect.fn('removeRows')(function* (
  model: WritableModel,
  objects: ReadonlyArray<BulkObject>,
  { actor, branch }: { readonly actor: Actor; readonly branch: Branch | null },
) {
  if (objects.length === 0) return
  const items = objects.map((object) => ({ ...object, ...validateRemoval(object.input) }))
  const invalid = items.filter(({ errors }) => hasErrors(errors))
  if (invalid.length > 0) {
    const errors = invalid.map(({ index, errors }) => ({ index, errors }))
    return yield* bulkError('failed validation', objects.length, errors)
  }
  const targets = yield* bulkTargets(model, objects)
  if (branch !== null) for (const { row } of targets) yield* deletableInBranch(model, row)
  const rows = items.map(({ id, message }) => ({ id, message }))
  const remove = Effect.gen(function* () {
    if (model === 'server' && branch === null) return yield* removeServers({ rows, actor })
    const writes = yield* InventoryWrites
    return yield* writes.remove({ model, rows, actor })
  })
  yield* remove.pipe(
    Effect.catchTags({
      RowNotFound: ({ index }) => objectsNotFound([rows[index]?.id ?? 0], objects.length),
      ServersConnected: ({ servers }) =>
        bulkError(
          'could not be deleted',
          objects.length,
          servers.map(({ id }) => ({ id, errors: { __all__: [connectedAlone] } })),
        ),
    }),
  )
})

const connectedAlone =
  'This server is connected, and its endpoint at the gateway is deleted with it: delete the server alone.'
