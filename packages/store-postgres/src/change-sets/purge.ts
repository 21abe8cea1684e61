import type { StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'

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
