import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'

/** A run of staged rows of one part: what one statement lands. */
export interface Window {
  /** The condition that finds its rows in a staging table under the alias `w`. */
  readonly rows: RawBuilder<boolean>
}

/** Rows of a window at most. On the embedded engine a statement keeps the process from anything else; a server has time. */
const windowSize = { pglite: 5000, pg: 50_000 } as const

/** Lands a staging table's rows of a part window by window, in the order they were appended. A staged row may stand for several, at most `rowsEach`. */
export function eachWindow<E>(
  run: Run,
  engine: Database['Type']['engine'],
  table: string,
  part: number,
  land: (window: Window) => Effect.Effect<unknown, E>,
  rowsEach = 1,
): Effect.Effect<void, E | StoreFailed> {
  const next = (after: number): Effect.Effect<void, E | StoreFailed> =>
    Effect.gen(function* () {
      const upTo = yield* run(async (db) => {
        const { rows } = await sql<{ seq: number | null }>`
          select max(seq) as seq from (
            select seq from ${sql.table(table)} where part_id = ${part}::bigint and seq > ${after}::bigint
            order by seq limit ${Math.ceil(windowSize[engine] / rowsEach)}
          ) page`.execute(db)
        return rows[0]?.seq ?? null
      })
      if (upTo === null) return
      yield* land({
        rows: sql<boolean>`w.part_id = ${part}::bigint and w.seq > ${after}::bigint and w.seq <= ${upTo}::bigint`,
      })
      if (engine === 'pglite') yield* othersTurn
      yield* next(upTo)
    })
  return next(0)
}

/** Lets timers and requests of this process run before the next statement. */
const othersTurn = Effect.async<void>((resume) => {
  const timer = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(timer))
})
