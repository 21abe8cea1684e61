import type { Actor } from '@netbox-pbs/core'
import type { ExpectedVersions, StoreFailed, VersionChanged, WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { deleteLogged } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { tables } from '../tables/columns.ts'
import { versionChanged } from '../tables/row-version.ts'
import { deleteServers, leavingServers } from '../writes/delete-servers.ts'
import { recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { lockPlacesOf } from './lock-row.ts'
import { discardCreated, foldIntoDeletion, lockLogged } from './log-edit.ts'

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
    const row = await lockLogged(trx, model, id)
    if (locked === null || row === null) return false
    const changed = versionChanged(row.version, versions)
    if (changed !== null) return changed
    if (await discardCreated(trx, { model, id, actor })) await deleteSilently(trx, model, id)
    else {
      const where = sql`m.id = ${id}::bigint`
      if (model === 'server') await deleteServers(trx, { servers: await leavingServers(trx, where), writer })
      else await deleteLogged(trx, model, { where, origin: actor })
      await foldIntoDeletion(trx, { model, id, actor })
    }
    await recountTouchedGroups(trx, locked.groups, writer)
    return true
  })
})

/** Takes back a row that the same request has created, without a trace in the log. */
async function deleteSilently(db: Kysely<Tables>, model: WritableModel, id: number): Promise<void> {
  await sql`delete from ${sql.table(tables[model])} where id = ${id}::bigint`.execute(db)
}
