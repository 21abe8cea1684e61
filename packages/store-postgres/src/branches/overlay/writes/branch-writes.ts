import type { BranchInventory } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../../../database/database.ts'
import { analyzeGrown } from '../../../database/statistics.ts'
import { createEntries } from './create-entries.ts'
import { removeEntry } from './remove-entry.ts'
import { updateEntry } from './update-entry.ts'

/** Writes by a user in a branch: each call becomes entries of it in one transaction. Readings of an object that main has are not a branch's to change, and are passed over. */
export const branchWrites = (database: Database['Type'], branch: number): BranchInventory['writes'] => ({
  create: (request) => Effect.tap(createEntries(database, branch, request), () => analyzeGrown(database, 'branches')),
  update: (request) => updateEntry(database, branch, request),
  remove: (request) => removeEntry(database, branch, request),
  // Endpoints are not branched: a server waits for its own in main, or not at all.
  pendingSince: Effect.fn('BranchWrites.pendingSince')(({ serverId }) =>
    database.query('reading a server', async (db) => {
      const { rows } = await sql<{ pending_since: string | null }>`
        select pending_since from servers where id = ${serverId}::bigint`.execute(db)
      return Option.fromNullable(rows[0]?.pending_since)
    }),
  ),
})
