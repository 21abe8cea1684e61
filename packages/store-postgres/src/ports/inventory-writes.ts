import type { ModelName } from '@netbox-pbs/core'
import { InventoryWrites } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { branchWatch } from '../branches/stale-groups.ts'
import { Database } from '../database/database.ts'
import { analyzeGrown } from '../database/statistics.ts'
import { createRows, removeRows, updateRows } from '../edits/edit-rows.ts'
import { judgeGuests } from '../guests/judge-guests.ts'
import { pendingSince } from '../writes/pending-since.ts'
import type { Main } from '../writes/writer.ts'

/** Rows written by people, each call one transaction. */
export const inventoryWritesLayer: Layer.Layer<InventoryWrites, never, Database> = Layer.effect(
  InventoryWrites,
  Effect.map(Database, (database) => {
    const main: Main = { database, watch: branchWatch }
    const judged = (model: ModelName) => judgeGuests(database, { routes: model === 'job' || model === 'server' })
    return InventoryWrites.of({
      create: (request) =>
        createRows(main, request).pipe(
          Effect.tap(() => judged(request.model)),
          Effect.tap(() => analyzeGrown(database, 'main')),
        ),
      update: (request) => Effect.tap(updateRows(main, request), () => judged(request.model)),
      remove: (request) => Effect.tap(removeRows(main, request), () => judged(request.model)),
      pendingSince: Effect.fn('InventoryWrites.pendingSince')(({ serverId }) =>
        database.query('reading a server', async (db) => Option.fromNullable(await pendingSince(db, serverId))),
      ),
    })
  }),
)
