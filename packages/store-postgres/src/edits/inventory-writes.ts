import type { Actor } from '@netbox-pbs/core'
import {
  type ExpectedVersions,
  InventoryWrites,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, sql } from 'kysely'
import { deleteLogged } from '../changes/append-changes.ts'
import { deleteServers, leavingServers } from '../changes/delete-servers.ts'
import { discardCreated, foldIntoDeletion, lockLogged } from '../changes/log-edit.ts'
import { Database } from '../database/database.ts'
import { analyzeGrown } from '../database/statistics.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../inventory/columns.ts'
import { requireVersion } from '../inventory/row-version.ts'
import { lockPlaces, untilPlacesHold } from '../inventory/scope-locks.ts'
import { createRows } from './create-rows.ts'
import { lockPlacesOf } from './lock-row.ts'
import { recountTouchedGroups } from './touch-groups.ts'
import { updateRow } from './update-row.ts'

/** Rows written by people, each call one transaction. */
export const inventoryWritesLayer: Layer.Layer<InventoryWrites, never, Database> = Layer.effect(
  InventoryWrites,
  Effect.map(Database, (database) =>
    InventoryWrites.of({
      create: (request) => Effect.tap(createRows(database, request), () => analyzeGrown(database, 'main')),
      update: (request) => updateRow(database, request),
      remove: (request) => removeRow(database, request),
      pendingSince: Effect.fn('InventoryWrites.pendingSince')(({ serverId }) =>
        database.query('reading a server', async (db) => {
          const { rows } = await sql<{ pending_since: string | null }>`
            select pending_since from servers where id = ${serverId}::bigint`.execute(db)
          return Option.fromNullable(rows[0]?.pending_since)
        }),
      ),
    }),
  ),
)

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
const removeRow = Effect.fn('InventoryWrites.remove')(function* (
  database: Database['Type'],
  { model, id, actor, versions }: Removal,
): Effect.fn.Return<boolean, StoreFailed | VersionChanged> {
  const transaction = database.transaction(`deleting a ${model}`, (run) =>
    Effect.gen(function* () {
      if (model === 'server') yield* run((db) => lockPlaces({ scopes: [], deletedServers: [id] }).execute(db))
      const locked = model === 'server' ? { groups: [] } : yield* lockPlacesOf(run, { model, id, values: {} })
      const row = yield* run((db) => lockLogged(db, model, id))
      if (locked === null || row === null) return false
      yield* requireVersion(row.version, versions)
      yield* run(async (db) => {
        if (await discardCreated(db, { model, id, actor })) await deleteSilently(db, model, id)
        else {
          const where = sql`m.id = ${id}::bigint`
          if (model === 'server') await deleteServers(db, { servers: await leavingServers(db, where), origin: actor })
          else await deleteLogged(db, model, { where, origin: actor })
          await foldIntoDeletion(db, { model, id, actor })
        }
        await recountTouchedGroups(db, locked.groups, actor)
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
