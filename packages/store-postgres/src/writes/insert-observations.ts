import type { ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { observationTable } from '../tables/columns.ts'

/** Observations of rows of main, as the parts of a query. */
export interface NewObservations {
  /** `from …` */
  readonly from: RawBuilder<unknown>
  /** The alias of the observed row, with its `id` and `server_id`. */
  readonly row: string
  /** The columns of observations that are stored, each with its value. */
  readonly values: ReadonlyArray<{ readonly name: string; readonly value: RawBuilder<unknown> }>
  /**
   * Rows that have observations already: `none` expects no such row; `keep` keeps theirs; `replace`
   * takes the new ones; `newest` does too, but keeps the last contact of a server that did not
   * answer.
   */
  readonly existing: 'none' | 'keep' | 'replace' | 'newest'
}

/**
 * The statement that stores observations next to their rows; null: there are none, or the model has
 * no table of them.
 */
export function insertObservations(
  model: ModelName,
  { from, row, values, existing }: NewObservations,
): RawBuilder<unknown> | null {
  const observation = observationTable(model)
  if (observation === null || values.length === 0) return null
  const id = sql.ref(`${row}.id`)
  const keys =
    model === 'server'
      ? [{ name: 'server_id', value: id }]
      : [
          { name: 'server_id', value: sql.ref(`${row}.server_id`) },
          { name: observation.id, value: id },
        ]
  const key = sql.join(keys.map(({ name }) => sql.id(name)))
  const names = values.map(({ name }) => sql.id(name))
  const newer = values.map(({ name }) =>
    existing === 'newest' && name === 'last_seen_at'
      ? sql`coalesce(excluded.last_seen_at, o.last_seen_at)`
      : sql`excluded.${sql.id(name)}`,
  )
  const set = sql.join(names.map((name, i) => sql`${name} = ${newer[i]}`))
  const differs = sql`(${sql.join(names.map((name) => sql`o.${name}`))}) is distinct from (${sql.join(newer)})`
  const replace = sql`on conflict (${key}) do update set ${set} where ${differs}`
  const onConflict = { none: sql``, keep: sql`on conflict do nothing`, replace, newest: replace }[existing]
  return sql`
    insert into ${sql.table(observation.table)} as o (${key}, ${sql.join(names)})
    select ${sql.join([...keys, ...values].map(({ value }) => value))} ${from} ${onConflict}`
}
