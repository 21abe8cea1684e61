import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { observationTable, tables } from '../tables/columns.ts'

/**
 * Rows of a model that a list may read, and what is joined to them: main's tables, or what a branch
 * has in their place.
 */
export interface Relation {
  /** The rows, under the alias `t`, with main's columns. */
  readonly rows: RawBuilder<unknown>
  /** What is joined whatever the list reads. */
  readonly joined: ReadonlyArray<'v'>
  /** Servers by `id` and `name`: a row is read only with its server. */
  readonly servers: RawBuilder<unknown>
  /** The join of the rows' observations, under the alias `o`. */
  readonly observations: RawBuilder<unknown>
  /** Conditions on `t` that hold for every row that is seen. */
  readonly seen: ReadonlyArray<RawBuilder<unknown>>
}

/** Main's own rows. */
export const mainRelation = (model: ModelName): Relation => ({
  rows: sql`${sql.table(tables[model])} t`,
  joined: [],
  servers: sql`servers`,
  observations: observationsBy(model, 't.server_id'),
  seen: [],
})

/** The join of main's observations of rows that main has under the server of a column. */
export function observationsBy(model: ModelName, server: string): RawBuilder<unknown> {
  const observation = observationTable(model)
  // A model without observations has no column that needs them.
  if (observation === null) return sql``
  const { table, id } = observation
  const ofServer = model === 'server' ? sql`` : sql` and o.server_id = ${sql.ref(server)}`
  return sql`left join ${sql.table(table)} o on ${sql.ref(`o.${id}`)} = t.id${ofServer}`
}
