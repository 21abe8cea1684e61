import type { ModelName } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'
import { listFrom, servedColumns } from './list-columns.ts'

/** A row with all its columns, as `servedRow` reads it: `select … from` with every join. */
export function selectServed(model: ModelName): RawBuilder<object> {
  const columns = servedColumns(model)
  const list = sql.join(columns.map(([name, { value }]) => sql`${value} as ${sql.id(name)}`))
  return sql<object>`select ${list} ${listFrom(
    model,
    columns.map(([, column]) => column),
  )}`
}

/** The mapper of a row as served: the columns already have the names and values of the port, whose fields are the registry's as the columns are. */
export const servedRow = <M extends ModelName>(row: object): ServedRow<M> => row as ServedRow<M>
