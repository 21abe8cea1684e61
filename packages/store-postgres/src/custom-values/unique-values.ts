import type { FieldValues, ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { rowTitle } from '../change-log/append-changes.ts'
import { TransactionAgain } from '../database/session.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'

/** A custom field of a model that no two rows may have the same value of: its key in rows, and its name. */
export interface UniqueField {
  readonly model: ModelName
  readonly key: string
  readonly name: string
}

/** The unique custom fields of some models. */
export async function uniqueFields(
  db: Kysely<Tables>,
  models: ReadonlyArray<ModelName>,
): Promise<ReadonlyArray<UniqueField>> {
  const { rows } = await sql<UniqueField>`
    select k.model, k.key::text as key, f.values ->> 'name' as name
    from custom_field_keys k join custom_fields f on f.id = k.field_id
    where k.model = any(${models}::text[]) and k.removed is null and f.removed is null and f.values -> 'unique' = 'true'
    order by k.model, k.key`.execute(db)
  return rows
}

/** The fields as a relation `f`. */
export const fieldsRelation = (fields: ReadonlyArray<UniqueField>): RawBuilder<unknown> =>
  sql`jsonb_to_recordset(${jsonb(fields)}) as f (key text, name text)`

/** Whether a value is one: NetBox counts these as none. */
export const isValue = (value: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`coalesce(${value}, 'null') not in ('null', '""', '[]')`

/** Whether a row `o` has a value of the field `f`; an index finds those that contain it. */
export const hasValue = (value: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(o.custom_fields <> '{}' and o.custom_fields @> jsonb_build_object(f.key, ${value}) and o.custom_fields -> f.key = ${value})`

const lockOf = (model: ModelName): RawBuilder<unknown> =>
  sql`hashtextextended(${`netbox-pbs unique values of ${model}`}::text, 0)`

/** Whether a write gives its row values of custom fields. */
export const givesCustomValues = (values: FieldValues): boolean =>
  Object.hasOwn(values, 'custom_fields') || Object.hasOwn(values, 'set_custom_fields')

/**
 * Locks the custom values of models until the end of the transaction, and returns the unique fields:
 * of two writers of one model with such a field the second waits and then sees what the first has
 * written. Writers of other models only keep a field from becoming unique. These are the first locks
 * of a transaction.
 */
export async function lockUniqueValues(
  db: Kysely<Tables>,
  models: ReadonlyArray<ModelName>,
): Promise<ReadonlyArray<UniqueField>> {
  const before = modelsOf(await uniqueFields(db, models))
  for (const model of [...models].sort())
    await (before.has(model)
      ? sql`select pg_advisory_xact_lock(${lockOf(model)})`
      : sql`select pg_advisory_xact_lock_shared(${lockOf(model)})`
    ).execute(db)
  const fields = await uniqueFields(db, models)
  if ([...modelsOf(fields)].some((model) => !before.has(model))) throw new TransactionAgain()
  return fields
}

const modelsOf = (fields: ReadonlyArray<UniqueField>): ReadonlySet<ModelName> =>
  new Set(fields.map(({ model }) => model))

/** Locks the custom values of models against all writers, before one of their fields becomes unique. */
export async function lockAllValues(db: Kysely<Tables>, models: ReadonlyArray<ModelName>): Promise<void> {
  for (const model of [...models].sort()) await sql`select pg_advisory_xact_lock(${lockOf(model)})`.execute(db)
}

/** A row whose value of a unique field another row has. */
export interface TakenValue {
  readonly id: number
  readonly field: string
}

/**
 * The first of these rows of main, as they are now, with a value that another row has; of two of them
 * it is the later one. Null: there is none. Hold the lock of the model's values.
 */
export async function takenValue(
  db: Kysely<Tables>,
  model: ModelName,
  { fields, ids }: { readonly fields: ReadonlyArray<UniqueField>; readonly ids: ReadonlyArray<number> },
): Promise<TakenValue | null> {
  if (fields.length === 0 || ids.length === 0) return null
  const given = sql`unnest(${ids}::bigint[]) with ordinality`
  const value = sql`(r.custom_fields -> f.key)`
  const { rows } = await sql<TakenValue>`
    select r.id, f.name as field
    from ${given} i (id, nth) join ${sql.table(tables[model])} r on r.id = i.id cross join ${fieldsRelation(fields)}
    where r.custom_fields <> '{}' and ${isValue(value)} and exists (
      select from ${sql.table(tables[model])} o left join ${given} j (id, nth) on j.id = o.id
      where o.id <> r.id and ${hasValue(value)} and (j.id is null or j.nth < i.nth)
    )
    order by i.nth limit 1`.execute(db)
  return rows[0] ?? null
}

/** A value that rows share although its field is unique. */
export interface SharedValue {
  readonly field: string
  readonly value: string
  readonly titles: ReadonlyArray<string>
}

/**
 * The first value that more than one row of main has, of those that `values` selects as `f.name`,
 * `f.key` and `value`, or of all values of the fields. Null: there is none.
 */
export async function sharedValue(
  db: Kysely<Tables>,
  model: ModelName,
  fields: ReadonlyArray<UniqueField>,
  values?: RawBuilder<unknown>,
): Promise<SharedValue | null> {
  if (fields.length === 0) return null
  const all = sql`
    select f.name, f.key, r.custom_fields -> f.key as value
    from ${sql.table(tables[model])} r cross join ${fieldsRelation(fields)} where r.custom_fields <> '{}'`
  const { rows } = await sql<SharedValue>`
    select f.name as field, f.value #>> '{}' as value, t.titles
    from (select distinct * from (${values ?? all}) x) f
    cross join lateral (
      select array_agg(s.title) as titles from (
        select ${rowTitle(model, 'o')} as title from ${sql.table(tables[model])} o where ${hasValue(sql`f.value`)} order by o.id limit 2
      ) s
    ) t
    where ${isValue(sql`f.value`)} and cardinality(t.titles) > 1 limit 1`.execute(db)
  return rows[0] ?? null
}

/**
 * Takes values of unique fields from rows that a sync gave them back, where another row has got them
 * in the meantime. A writer that holds the model's lock may wait for ours, so ours begins again then.
 */
export async function dropTakenValues(db: Kysely<Tables>, model: ModelName, ids: ReadonlyArray<number>): Promise<void> {
  const fields = await uniqueFields(db, [model])
  if (fields.length === 0 || ids.length === 0) return
  const { rows } = await sql<{ free: boolean }>`select pg_try_advisory_xact_lock(${lockOf(model)}) as free`.execute(db)
  if (rows[0]?.free !== true) throw new TransactionAgain()
  const main = sql.table(tables[model])
  const value = sql`(r.custom_fields -> f.key)`
  await sql`
    update ${main} m set custom_fields = m.custom_fields - x.keys
    from (
      select r.id, array_agg(f.key) as keys from ${main} r cross join ${fieldsRelation(fields)}
      where r.id = any(${ids}::bigint[]) and r.custom_fields <> '{}' and ${isValue(value)} and exists (
        select from ${main} o where o.id <> r.id and ${hasValue(value)} and (o.id <> all(${ids}::bigint[]) or o.id < r.id)
      )
      group by r.id
    ) x where m.id = x.id`.execute(db)
}
