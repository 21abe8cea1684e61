import type { Actor } from '@netbox-pbs/core'
import type { RowNotFound, RowRemoval, StoreFailed, VersionChanged, WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Kysely } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { deleteRowsById } from '../writes/write-rows.ts'
import { recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { foldChanges } from './fold-changes.ts'
import { type LockedRows, lockRows, lockVersions } from './lock-rows.ts'

/**
 * Deletes rows, all or none. A server's children are deleted with it; a datastore's snapshots refer
 * to it only by name, and stay.
 */
export const removeRows = Effect.fn('InventoryWrites.remove')(function* (
  { database, watch }: Main,
  {
    model,
    rows,
    actor,
  }: { readonly model: WritableModel; readonly rows: ReadonlyArray<RowRemoval>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | RowNotFound | VersionChanged> {
  if (rows.length === 0) return
  const ids = rows.map(({ id }) => id)
  const writer = { origin: actor, watch }
  yield* database.transaction(rows.length === 1 ? `deleting a ${model}` : `deleting ${model}s`, async (trx) => {
    const locked = await (model === 'server' ? lockServers(trx, rows) : lockRows(trx, model, rows))
    if (locked instanceof Error) return locked
    await deleteRowsById(trx, model, { ids, writer })
    await foldChanges(trx, { model, ids, actor })
    await recountTouchedGroups(trx, locked.groups.flat(), writer)
    return undefined
  })
})

/** Locks servers with all that is below them. */
async function lockServers(
  db: Kysely<Tables>,
  rows: ReadonlyArray<RowRemoval>,
): Promise<LockedRows | RowNotFound | VersionChanged> {
  await lockPlaces({ scopes: [], deletedServers: rows.map(({ id }) => id) }).execute(db)
  return (await lockVersions(db, 'server', rows)) ?? { groups: [] }
}
