import type { Retained } from '@netbox-pbs/core'
import type { StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { pruneTasks } from './prune-tasks.ts'

/** The number of rows that one part has removed, and whether there may be more. */
export interface Pruned {
  readonly removed: number
  readonly more: boolean
}

/** Removes at most `limit` rows of any table in one statement. */
type Prune = (
  database: Database['Type'],
  part: { readonly before: string; readonly limit: number },
) => Effect.Effect<Pruned, StoreFailed>

const operation = 'removing old records'

/** How a part of each kind is removed. */
export const prunes: Readonly<Record<Retained, Prune>> = {
  changes: (database, { before, limit }) =>
    database.query(operation, async (db) => {
      const { numAffectedRows } = await sql`
        delete from changes where id in (
          select id from changes where time < ${before}::timestamptz order by time, id limit ${limit}::bigint
        )`.execute(db)
      const removed = Number(numAffectedRows ?? 0n)
      return { removed, more: removed === limit }
    }),

  tasks: pruneTasks,

  runs: (database, { before, limit }) =>
    database.query(operation, async (db) => {
      const ids = await oldRuns(db, before)
      if (ids.length === 0) return { removed: 0, more: false }
      for (const { table, key } of runChildren) {
        const name = sql.table(table)
        const columns = sql`run_id, ${sql.ref(key)}`
        const { numAffectedRows } = await sql`
          delete from ${name} where (${columns}) in (
            select ${columns} from ${name} where run_id = any(${ids}::bigint[]) limit ${limit}::bigint
          )`.execute(db)
        // A run may have more rows than one statement removes: it stays until the last of them is
        // removed.
        if (Number(numAffectedRows ?? 0n) === limit) return { removed: 0, more: true }
      }
      const { numAffectedRows } = await sql`delete from runs where id = any(${ids}::bigint[])`.execute(db)
      return { removed: Number(numAffectedRows ?? 0n), more: ids.length === runsAtOnce }
    }),
}

/** Runs of one part. */
const runsAtOnce = 50

/** The tables whose rows go with a run, and what tells their rows of one run apart. */
const runChildren = [
  { table: 'run_scopes', key: 'scope_key' },
  { table: 'run_warnings', key: 'digest' },
  { table: 'run_jobs', key: 'server_id' },
] as const

/** The runs that ended longest ago; one that goes on has no end. */
async function oldRuns(db: Kysely<Tables>, before: string): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select id from runs where completed < ${before}::timestamptz order by completed, id limit ${runsAtOnce}`.execute(db)
  return rows.map(({ id }) => id)
}
