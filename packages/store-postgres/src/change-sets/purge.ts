import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { tables } from '../tables/columns.ts'

const stagingTables = [...Object.values(tables), 'observations', 'digests', 'sightings'].map((name) => `staged_${name}`)

/**
 * Maximum number of rows in one statement: the embedded engine serves no one else during a
 * statement.
 */
const batchSize = { pglite: 5000, pg: 100_000 } as const

/**
 * Removes the rows of parts that have landed or were dropped, after the transaction that ended
 * them, because no later step reads them. The next purge removes what a crash leaves behind.
 */
export function purge(database: Database['Type']): Effect.Effect<void, StoreFailed> {
  return Effect.gen(function* () {
    const ended = yield* database.query('clearing staged rows', (db) =>
      sql<{ id: number }>`select id from change_set_parts where not waiting`.execute(db),
    )
    for (const { id } of ended.rows) {
      for (const table of stagingTables) yield* purgeTable(database, table, id)
      yield* database.query('clearing staged rows', (db) =>
        sql`delete from change_set_parts where id = ${id}::bigint and not waiting`.execute(db),
      )
    }
  })
}

function purgeTable(database: Database['Type'], table: string, part: number): Effect.Effect<void, StoreFailed> {
  const name = sql.table(table)
  const limit = batchSize[database.engine]
  return Effect.flatMap(
    database.query('clearing staged rows', (db) =>
      sql`delete from ${name} where part_id = ${part}::bigint
        and seq <= (select max(seq) from (select seq from ${name} where part_id = ${part}::bigint order by seq limit ${limit}) page)`.execute(
        db,
      ),
    ),
    ({ numAffectedRows }) =>
      (numAffectedRows ?? 0n) < BigInt(limit) ? Effect.void : purgeTable(database, table, part),
  )
}
