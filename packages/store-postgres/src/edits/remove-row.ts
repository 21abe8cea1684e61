import type { Actor } from '@netbox-pbs/core'
import type { ExpectedVersions, StoreFailed, VersionChanged, WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { deleteLogged } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces, untilPlacesHold } from '../scopes/scope-locks.ts'
import { tables } from '../tables/columns.ts'
import { requireVersion } from '../tables/row-version.ts'
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
  const transaction = database.transaction(`deleting a ${model}`, (run) =>
    Effect.gen(function* () {
      const writer = { origin: actor, watch }
      if (model === 'server') yield* run((db) => lockPlaces({ scopes: [], deletedServers: [id] }).execute(db))
      const locked = model === 'server' ? { groups: [] } : yield* lockPlacesOf(run, { model, id, values: {} })
      const row = yield* run((db) => lockLogged(db, model, id))
      if (locked === null || row === null) return false
      yield* requireVersion(row.version, versions)
      yield* run(async (db) => {
        if (await discardCreated(db, { model, id, actor })) await deleteSilently(db, model, id)
        else {
          const where = sql`m.id = ${id}::bigint`
          if (model === 'server') await deleteServers(db, { servers: await leavingServers(db, where), writer })
          else await deleteLogged(db, model, { where, origin: actor })
          await foldIntoDeletion(db, { model, id, actor })
        }
        await recountTouchedGroups(db, locked.groups, writer)
      })
      return true
    }),
  )
  return yield* untilPlacesHold(transaction)
})

/** Takes back a row that the same request has created, without a trace in the log. */
async function deleteSilently(db: Kysely<Tables>, model: WritableModel, id: number): Promise<void> {
  await sql`delete from ${sql.table(tables[model])} where id = ${id}::bigint`.execute(db)
}
