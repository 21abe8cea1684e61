import { HandWrites, type StoreFailed, type WritableModel } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { tables } from '../inventory/columns.ts'
import { createRows } from './create-rows.ts'
import { lockGroupsOf, settleTouchedGroups } from './touch-groups.ts'
import { updateRow } from './update-row.ts'

/** Rows written by people, each call one transaction. */
export const handWritesLayer: Layer.Layer<HandWrites, never, Database> = Layer.effect(
  HandWrites,
  Effect.map(Database, (database) =>
    HandWrites.of({
      create: (request) => createRows(database, request),
      update: (request) => updateRow(database, request),
      remove: (request) => removeRow(database, request),
      pendingSince: Effect.fn('HandWrites.pendingSince')(({ serverId }) =>
        database.query('reading a server', async (db) => {
          const { rows } = await sql<{ pending_since: string | null }>`
            select pending_since from servers where id = ${serverId}::bigint`.execute(db)
          return Option.fromNullable(rows[0]?.pending_since)
        }),
      ),
    }),
  ),
)

/** Deletes a row. What is below a server goes with it; what lies in a datastore names it only by its text, and stays. */
const removeRow = Effect.fn('HandWrites.remove')(function* (
  database: Database['Type'],
  { model, id }: { readonly model: WritableModel; readonly id: number },
): Effect.fn.Return<boolean, StoreFailed> {
  return yield* database.transaction(`deleting a ${model}`, (run) =>
    run(async (db) => {
      const groups = (model === 'snapshot' ? await lockGroupsOf(db, id, (from) => from) : null) ?? []
      const { numAffectedRows } = await sql`
        delete from ${sql.table(tables[model])} where id = ${id}::bigint`.execute(db)
      if (numAffectedRows !== 1n) return false
      await settleTouchedGroups(db, groups)
      return true
    }),
  )
})
