import type { JsonValue } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../src/database/tables.ts'

/** A row as PostgreSQL writes it in JSON. */
export type Row = Readonly<Record<string, JsonValue>>

/** All rows of a table. */
export async function readTable(db: Kysely<Tables>, table: string): Promise<ReadonlyArray<Row>> {
  const { rows } = await sql<{ row: Row }>`select to_jsonb(t) as row from ${sql.table(table)} t`.execute(db)
  return rows.map(({ row }) => row)
}

/** Columns that main works out itself: `depth` from the path, the others when groups are counted. */
const ownColumns: ReadonlySet<string> = new Set(['namespaces.depth', 'groups.variants', 'groups.texts'])

/** Inserts rows that all have the same columns; columns that main works out itself are left to it. */
export async function fillTable(db: Kysely<Tables>, table: string, rows: ReadonlyArray<Row>): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const columns = sql.join(
    Object.keys(first)
      .filter((name) => !ownColumns.has(`${table}.${name}`))
      .map((name) => sql.id(name)),
  )
  await sql`
    insert into ${sql.table(table)} (${columns}) select ${columns}
    from jsonb_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::text::jsonb)`.execute(db)
}
