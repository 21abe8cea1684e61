import { setImmediate } from 'node:timers/promises'
import { type RowCounts, scopeKey } from '@netbox-pbs/core'
import { ChangeSetClosed, type Landing, ServerRenamed, type StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { recordScope } from '../runs/record-scope.ts'
import { tables } from '../tables/columns.ts'

/**
 * Locks an open change set until the end of the transaction, so that no other transaction can close
 * it. False: it is closed.
 */
export async function lockChangeSet(db: Kysely<Tables>, changeSet: number, lock: 'share' | 'update'): Promise<boolean> {
  const { rows } = await sql`select from change_sets where id = ${changeSet}::bigint for ${sql.raw(lock)}`.execute(db)
  return rows.length === 1
}

/**
 * The waiting part of a scope in an open change set, made if there is none; null: the change set is
 * closed. Locks the change set as `lockChangeSet` does.
 */
export async function openPart(db: Kysely<Tables>, changeSet: number, key: string): Promise<number | null> {
  // The no-op update makes the statement return the existing row.
  const { rows } = await sql<{ id: number }>`
    insert into change_set_parts (change_set_id, scope_key)
    select id, ${key} from change_sets where id = ${changeSet}::bigint for share
    on conflict (change_set_id, scope_key) where waiting do update set scope_key = excluded.scope_key
    returning id`.execute(db)
  return rows[0]?.id ?? null
}

/**
 * Removes a scope's part from its change set, so that it cannot land or be staged twice. Null:
 * nothing was appended.
 */
export async function endPart(
  db: Kysely<Tables>,
  { changeSet, scope }: Pick<Landing, 'changeSet' | 'scope'>,
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    update change_set_parts set waiting = false
    where change_set_id = ${changeSet}::bigint and scope_key = ${scopeKey(scope)} and waiting returning id`.execute(db)
  return rows[0]?.id ?? null
}

/**
 * The id of the server below which a scope lands: the one that its change set was opened for; null:
 * it is the scope of the servers. An error when the server is deleted, for all its scopes have gone
 * with it, and when it has another name than the scope gives it.
 */
export async function landingServer(
  db: Kysely<Tables>,
  { changeSet, scope }: Pick<Landing, 'changeSet' | 'scope'>,
): Promise<number | null | ChangeSetClosed | ServerRenamed> {
  if (scope.resource === 'servers') return null
  const { rows } = await sql<{ id: number; name: string }>`
    select v.id, v.name from change_sets c join servers v on v.id = c.opened_for where c.id = ${changeSet}::bigint`.execute(
    db,
  )
  const [found] = rows
  if (found === undefined) return new ChangeSetClosed({ changeSet })
  const { id: serverId, name: after } = found
  return after === scope.server ? serverId : new ServerRenamed({ serverId, before: scope.server, after })
}

/**
 * Records how a scope ended, in the transaction that lands or stages it. To be called last, so that
 * the run's row is locked for the shortest time.
 */
export async function recordLanding(
  db: Kysely<Tables>,
  { runId, record }: Pick<Landing, 'runId' | 'record'>,
  counts: RowCounts,
): Promise<void> {
  if (record === null) return
  const { serverId, result } = record
  await recordScope(db, { id: runId, serverId, result: result(counts) })
}

const stagingTables = [...Object.values(tables), 'observations', 'digests', 'sightings', 'retained'].map(
  (name) => `staged_${name}`,
)

/**
 * Maximum number of rows in one statement: the embedded engine serves no one else during a
 * statement.
 */
const batchSize = { pglite: 5000, pg: 100_000 } as const

/**
 * Removes the rows of parts that have landed or were dropped, after the transaction that ended
 * them, because no later step reads them. The next purge removes what a crash leaves behind.
 */
export const purge = ({ query, engine }: Database['Type']): Effect.Effect<void, StoreFailed> =>
  query('clearing staged rows', async (db) => {
    const { rows } = await sql<{ id: number }>`select id from change_set_parts where not waiting`.execute(db)
    for (const { id } of rows) {
      for (const table of await filledTables(db, id))
        await purgeTable(db, { table, part: id, limit: batchSize[engine] })
      await sql`delete from change_set_parts where id = ${id}::bigint and not waiting`.execute(db)
    }
  })

/** The staging tables that hold rows of a part: most parts fill one or two of them. */
async function filledTables(db: Kysely<Tables>, part: number): Promise<ReadonlyArray<string>> {
  const each = stagingTables.map(
    (name) =>
      sql`select ${sql.lit(name)} as name where exists (select from ${sql.table(name)} where part_id = ${part}::bigint)`,
  )
  const { rows } = await sql<{ name: string }>`${sql.join(each, sql` union all `)}`.execute(db)
  return rows.map(({ name }) => name)
}

async function purgeTable(
  db: Kysely<Tables>,
  { table, part, limit }: { readonly table: string; readonly part: number; readonly limit: number },
): Promise<void> {
  const name = sql.table(table)
  for (let removed = BigInt(limit); removed === BigInt(limit); ) {
    const { numAffectedRows } = await sql`
      delete from ${name} where part_id = ${part}::bigint
        and seq <= (select max(seq) from (select seq from ${name} where part_id = ${part}::bigint order by seq limit ${limit}) page)`.execute(
      db,
    )
    removed = numAffectedRows ?? 0n
  }
}

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
