import { type RowCounts, scopeKey } from '@netbox-pbs/core'
import { ChangeSetClosed, type Landing, ServerRenamed, type StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
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
