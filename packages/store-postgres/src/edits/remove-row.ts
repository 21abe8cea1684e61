import type { Actor } from '@netbox-pbs/core'
import type { ExpectedVersions, StoreFailed, VersionChanged, WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { versionChanged } from '../tables/row-version.ts'
import { deleteRowsById } from '../writes/delete-rows.ts'
import { recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { foldChanges } from './fold-changes.ts'
import { lockPlacesOf, lockVersion } from './lock-row.ts'

/** The row to delete, and the user who deletes it. */
interface Removal {
  readonly model: WritableModel
  readonly id: number
  readonly actor: Actor
  readonly versions?: ExpectedVersions
}

/**
 * Deletes a row. A server's children are deleted with it; a datastore's snapshots refer to it only
 * by name, and stay.
 */
export const removeRow = Effect.fn('InventoryWrites.remove')(function* (
  { database, watch }: Main,
  { model, id, actor, versions }: Removal,
): Effect.fn.Return<boolean, StoreFailed | VersionChanged> {
  return yield* database.transaction(`deleting a ${model}`, async (trx) => {
    const writer = { origin: actor, watch }
    if (model === 'server') await lockPlaces({ scopes: [], deletedServers: [id] }).execute(trx)
    const locked = model === 'server' ? { groups: [] } : await lockPlacesOf(trx, { model, id, values: {} })
    const version = await lockVersion(trx, model, id)
    if (locked === null || version === null) return false
    const changed = versionChanged(version, versions)
    if (changed !== null) return changed
    await deleteRowsById(trx, model, { ids: [id], writer })
    await foldChanges(trx, { model, ids: [id], actor })
    await recountTouchedGroups(trx, locked.groups, writer)
    return true
  })
})
