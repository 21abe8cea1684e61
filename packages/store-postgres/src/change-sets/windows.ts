import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'

/** A run of staged rows of one part: what one statement lands. */
export interface Window {
  /** The condition that finds its rows in a staging table under the alias `w`. */
  readonly rows: RawBuilder<boolean>
  /** How many rows of each kind it has: a statement that would find none need not be sent. Digests and observations have no kind. */
  readonly creates: number
  readonly updates: number
  readonly deletes: number
  /** Deletions that wait by themselves. */
  readonly holds: number
}

/**
 * Maximum number of rows in a window. On the embedded engine a statement blocks the process; on a
 * server it does not.
 */
const windowSize = { pglite: 5000, pg: 50_000 } as const

const withoutKind = new Set(['staged_digests', 'staged_observations'])

/**
 * The windows of a staging table's rows of a part, in the order they were appended. A staged row
 * may stand for several, at most `rowsEach`. The windows do not change: no rows are appended to a
 * part that is landing.
 */
export const readWindows = Effect.fn('ChangeSets.readWindows')(function* (
  run: Run,
  engine: Database['Type']['engine'],
  table: string,
  part: number,
  rowsEach = 1,
): Effect.fn.Return<ReadonlyArray<Window>, StoreFailed> {
  const windows: Array<Window> = []
  const most = Math.ceil(windowSize[engine] / rowsEach)
  const kind = withoutKind.has(table) ? sql`null::text` : sql.id('op')
  for (let after = 0, size = most; size === most; ) {
    const page = yield* run((db) =>
      sql<Omit<Window, 'rows'> & { readonly up_to: number | null; readonly size: number }>`
        select max(seq) as up_to, count(*) as size, count(*) filter (where kind = 'create') as creates,
          count(*) filter (where kind = 'update') as updates, count(*) filter (where kind = 'delete') as deletes,
          count(*) filter (where kind = 'hold') as holds
        from (
          select seq, ${kind} as kind from ${sql.table(table)} where part_id = ${part}::bigint and seq > ${after}::bigint
          order by seq limit ${most}
        ) page`.execute(db),
    )
    const {
      up_to = null,
      size: found = 0,
      ...counts
    } = page.rows[0] ?? { creates: 0, updates: 0, deletes: 0, holds: 0 }
    if (up_to === null) break
    const rows = sql<boolean>`w.part_id = ${part}::bigint and w.seq > ${after}::bigint and w.seq <= ${up_to}::bigint`
    windows.push({ ...counts, rows })
    after = up_to
    size = found
    yield* yieldToEventLoop(engine)
  }
  return windows
})

/** Lands windows one after the other. */
export const eachWindow = <E>(
  engine: Database['Type']['engine'],
  windows: ReadonlyArray<Window>,
  land: (window: Window) => Effect.Effect<unknown, E>,
): Effect.Effect<void, E> =>
  Effect.forEach(windows, (window) => Effect.zipRight(land(window), yieldToEventLoop(engine)), { discard: true })

/**
 * Lets timers and requests of this process run before the next statement, where the database is in
 * the process.
 */
export const yieldToEventLoop = (engine: Database['Type']['engine']): Effect.Effect<void> =>
  engine === 'pg'
    ? Effect.void
    : Effect.async<void>((resume) => {
        const timer = setImmediate(() => resume(Effect.void))
        return Effect.sync(() => clearImmediate(timer))
      })
