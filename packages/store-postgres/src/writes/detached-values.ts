import { type ModelName, scopeResourceOf } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { dropTakenValues } from '../custom-values/unique-values.ts'
import type { Tables } from '../database/tables.ts'
import { type Column, keyColumns, type ScopeColumn, scopeColumnsOf, tables } from '../tables/columns.ts'

/**
 * Whether tags and custom fields of a model's deleted rows are kept for their return. No sync makes a
 * server again, and tasks are history.
 */
const isKept = (model: ModelName): boolean => model !== 'server' && model !== 'task'

/** The key columns of a row within its server. */
const ownKey = (model: ModelName): ReadonlyArray<Column> => keyColumns(model).filter(({ field }) => field !== 'server')

/** The columns that identify the scope of a row within its server. */
const placeColumns = (model: ModelName): ReadonlyArray<ScopeColumn> =>
  scopeColumnsOf(scopeResourceOf(model)).filter((column) => column !== 'server_id')

/**
 * A step of the statement that deletes rows: it keeps what people attached to them. `gone` is the
 * step that has `server_id` and `before`, the whole row as the log has it. Rows that have nothing
 * attached, nearly all, cost two comparisons. Null: nothing of the model is kept.
 */
export function keepAttached(model: ModelName, gone: string): RawBuilder<unknown> | null {
  if (!isKept(model)) return null
  const key = detachedKeyOf(model, ({ field }) => sql`g.before -> ${sql.lit(field)}`)
  const place = placeColumns(model)
  const names = sql.join([sql`server_id`, sql`model`, ...place.map((column) => sql.id(column))])
  const values = sql.join([
    sql`g.server_id`,
    sql.lit(model),
    ...place.map((column) => sql`g.before ->> ${sql.lit(column)}`),
  ])
  return sql`
    insert into detached_values as d (${names}, hash, key, tags, custom_fields)
    select ${values}, ${detachedHash(sql`k.key`)}, k.key, g.before -> 'tags', g.before -> 'custom_fields'
    from ${sql.table(gone)} g cross join lateral (select ${key} as key) k
    where g.before -> 'tags' <> '[]' or g.before -> 'custom_fields' <> '{}'
    on conflict (server_id, model, datastore_name, namespace, job_type, hash)
    do update set key = excluded.key, tags = excluded.tags, custom_fields = excluded.custom_fields,
      since = now(), times = null, row_created = null`
}

/**
 * Gives rows that a sync has created in this transaction back what people had attached to the last
 * row of the same key, except values of unique fields that another row has got since. `places` selects the columns of their scopes. The creation is logged without
 * values, so that the log needs no entry of its own.
 */
export async function restoreAttached(
  db: Kysely<Tables>,
  model: ModelName,
  places: RawBuilder<unknown>,
): Promise<void> {
  if (!isKept(model)) return
  const { rows } = await sql`select from detached_values d where d.model = ${model} limit 1`.execute(db)
  if (rows.length === 0) return
  const main = sql.table(tables[model])
  const samePlace = placeColumns(model).map((column) => sql`and ${sql.ref(`d.${column}`)} = ${sql.ref(`p.${column}`)}`)
  const sameKey = ownKey(model).map(
    ({ name, type }, nth) => sql`and ${sql.ref(`m.${name}`)} = (d.key ->> ${sql.lit(nth)})::${sql.raw(type)}`,
  )
  const { rows: restored } = await sql<{ id: number }>`
    with back as (
      delete from detached_values d using (select distinct * from (${places}) x) p, ${main} m
      where d.model = ${model} and d.server_id = p.server_id ${sql.join(samePlace, sql` `)}
        and m.server_id = d.server_id ${sql.join(sameKey, sql` `)} and m.created = now()
      returning m.id, d.tags, d.custom_fields
    )
    update ${main} m set tags = back.tags, custom_fields = back.custom_fields from back where m.id = back.id returning m.id`.execute(
    db,
  )
  await dropTakenValues(
    db,
    model,
    restored.map(({ id }) => id),
  )
}

/**
 * A member of the key that `detached_values`, under an alias, has of a row: the value of a key field
 * as text.
 */
export function detachedKey(model: ModelName, alias: string, field: string): RawBuilder<unknown> {
  const nth = ownKey(model).findIndex((column) => column.field === field)
  return sql`(${sql.ref(`${alias}.key`)} ->> ${sql.lit(nth)})`
}

/** The key of a row in `detached_values`, of the JSON values of its key fields as the change log has them. */
export const detachedKeyOf = (model: ModelName, value: (column: Column) => RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`jsonb_build_array(${sql.join(ownKey(model).map(value))})`

/** The hash that `detached_values` has of a key. */
export const detachedHash = (key: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`hashtextextended(${key}::text collate "C", 0)`

/** The columns of the scopes of some rows, the alias `w`, that `restoreAttached` reads. */
export const placesOfRows = (model: ModelName): RawBuilder<unknown> =>
  sql.join([sql`w.server_id`, ...placeColumns(model).map((column) => sql.ref(`w.${column}`))])
