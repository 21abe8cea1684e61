import type { ModelName } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'
import { servedColumns } from './list-columns.ts'
import { type ListView, partsOf } from './list-view.ts'

/**
 * Rows with all their columns, as `servedRow` reads them: those whose `id` the query selects, in
 * the order of its `place`.
 */
export function selectServed(view: ListView, ids: RawBuilder<unknown>): RawBuilder<object> {
  const columns = servedColumns(view.model)
  const names = sql.join(columns.map(([name]) => sql.id(name)))
  const list = sql.join(columns.map(([name, { value }]) => sql`${value} as ${sql.id(name)}`))
  const parts = partsOf(view, {
    columns: columns.map(([, column]) => column),
    onPage: true,
  })
  const rows = parts.map((part) => sql`select page.place, ${list} ${part}`)
  return sql<object>`
    with page as materialized (${ids}) select ${names} from (${sql.join(rows, sql` union all `)}) served order by place`
}

/**
 * The mapper of a row as served: the columns already have the names and values of the port, whose
 * fields are the registry's as the columns are.
 */
export const servedRow = <M extends ModelName>(row: object): ServedRow<M> => row as ServedRow<M>
