import type { FieldValue, ServerHealth } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { observedColumns } from '../tables/columns.ts'

const columns = observedColumns('server')

/** The columns of a server's observations, joined under an alias, as {@link healthOf} reads them. */
export const healthColumns = (alias: string): RawBuilder<unknown> =>
  sql.join([
    sql`${sql.ref(`${alias}.server_id`)} is not null as observed`,
    ...columns.map(({ name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(`o_${name}`)}`),
  ])

/** The mapper of a server's observations; null: it has none. */
export function healthOf(record: Readonly<Record<string, FieldValue>>): ServerHealth | null {
  if (record['observed'] !== true) return null
  const health: Record<string, FieldValue> = {}
  for (const { field, name } of columns) health[field] = record[`o_${name}`] ?? null
  // The columns are those of the registry, with its types: that is what the schema's test checks.
  return health as unknown as ServerHealth
}
