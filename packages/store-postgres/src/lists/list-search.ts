import { type ModelName, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { listColumn, serverName } from './list-columns.ts'
import type { Condition } from './list-filter.ts'

/**
 * Free text: any of the model's search columns contains it, whatever the case of its letters.
 * `folding` is a collation that knows the case of all letters, which that of the columns (code
 * points) does not.
 */
export function searchCondition(model: ModelName, text: string, folding: string | null): Condition {
  // No column can hold what PostgreSQL cannot store.
  if (text.includes('\0') || !text.isWellFormed()) return { where: sql`false`, columns: [] }
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
  const collate: RawBuilder<unknown> = sql.raw(folding === null ? '' : ` collate "${folding}"`)
  const columns = registry[model].search.flatMap((name) => {
    const column = name === 'server.name' ? serverName(model) : listColumn(model, name)
    return column === undefined ? [] : [column]
  })
  const contains = columns.map(({ value }) => sql`${value}${collate} ilike ${pattern}`)
  return { where: sql`(${sql.join(contains, sql` or `)})`, columns }
}
