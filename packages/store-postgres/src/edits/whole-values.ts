import { appliedEdits, type FieldValues, hasOperatorEdits, type ModelName } from '@netbox-pbs/core'
import type { RowUpdate } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'

/**
 * The changes of rows with whole values of tags and custom fields in place of edits that depend on
 * what the rows have. Hold the rows' locks.
 */
export async function withWholeValues(
  db: Kysely<Tables>,
  model: ModelName,
  rows: ReadonlyArray<RowUpdate>,
): Promise<ReadonlyArray<RowUpdate>> {
  const ids = rows.flatMap(({ id, values }) => (hasOperatorEdits(values) ? [id] : []))
  if (ids.length === 0) return rows
  const { rows: found } = await sql<FieldValues & { readonly id: number }>`
    select id, tags, custom_fields from ${sql.table(tables[model])} where id = any(${ids}::bigint[])`.execute(db)
  const stored = new Map(found.map((row) => [row.id, row]))
  return rows.map((row) => ({ ...row, values: appliedEdits(stored.get(row.id) ?? {}, row.values) }))
}
