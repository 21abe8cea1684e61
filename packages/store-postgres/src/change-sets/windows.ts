import { setImmediate } from 'node:timers/promises'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

/** A range of staged rows of one part that one statement lands. */
export interface Window {
  /** The condition that finds its rows in a staging table under the alias `w`. */
  readonly rows: RawBuilder<boolean>
  /**
   * How many rows of each kind it has: a statement that would find none need not be sent. Digests
   * and observations have no kind.
   */
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
 * The windows of a staging table's rows of a part, in the order they were appended; they do not
 * change, because a part that lands gets no more rows. A staged row may represent several, at most
 * `rowsEach`.
 */
export async function readWindows(
  db: Kysely<Tables>,
  engine: Database['Type']['engine'],
  table: string,
  part: number,
  rowsEach = 1,
): Promise<ReadonlyArray<Window>> {
  const windows: Array<Window> = []
  const most = Math.ceil(windowSize[engine] / rowsEach)
  const kind = withoutKind.has(table) ? sql`null::text` : sql.id('op')
  for (let after = 0, size = most; size === most; ) {
    const page = await sql<Omit<Window, 'rows'> & { readonly up_to: number | null; readonly size: number }>`
      select max(seq) as up_to, count(*) as size, count(*) filter (where kind = 'create') as creates,
        count(*) filter (where kind = 'update') as updates, count(*) filter (where kind = 'delete') as deletes,
        count(*) filter (where kind = 'hold') as holds
      from (
        select seq, ${kind} as kind from ${sql.table(table)} where part_id = ${part}::bigint and seq > ${after}::bigint
        order by seq limit ${most}
      ) page`.execute(db)
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
    await yieldToEventLoop(engine)
  }
  return windows
}

/** Lands windows one after the other. */
export async function eachWindow(
  engine: Database['Type']['engine'],
  windows: ReadonlyArray<Window>,
  land: (window: Window) => Promise<unknown>,
): Promise<void> {
  for (const window of windows) {
    await land(window)
    await yieldToEventLoop(engine)
  }
}

/**
 * Lets timers and requests of this process run before the next statement, where the database is in
 * the process.
 */
export async function yieldToEventLoop(engine: Database['Type']['engine']): Promise<void> {
  if (engine === 'pglite') await setImmediate()
}
