import type { FieldValue } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

/** Values of a row, or some of them; null: there is no such side. */
type Values = { readonly [field: string]: FieldValue } | null

/** Puts names in place of the ids of tags and the keys of custom fields. */
type Naming = <V extends Values>(values: V) => V

/**
 * How values of rows read for people: with the present names of tags and custom fields, or the last
 * ones of those that were deleted. Asks nothing when the values have none.
 */
export async function namingOf(db: Kysely<Tables>, all: Iterable<Values>): Promise<Naming> {
  const ids = new Set<number>()
  const keys = new Set<string>()
  for (const values of all) {
    for (const id of tagsIn(values)) if (typeof id === 'number' && Number.isSafeInteger(id)) ids.add(id)
    for (const key of Object.keys(fieldsIn(values))) if (/^\d{1,15}$/.test(key)) keys.add(key)
  }
  const tags = await tagNames(db, [...ids])
  const fields = await fieldNames(db, [...keys])
  return (values) => {
    if (values === null || (ids.size === 0 && keys.size === 0)) return values
    const named: Record<string, FieldValue> = { ...values }
    if (Array.isArray(values['tags']))
      named['tags'] = tagsIn(values).map((id) => (typeof id === 'number' ? (tags.get(id) ?? id) : id))
    if (Object.hasOwn(values, 'custom_fields') && isMap(values['custom_fields']))
      named['custom_fields'] = Object.fromEntries(
        Object.entries(fieldsIn(values)).map(([key, value]) => [fields.get(key) ?? key, value]),
      )
    return named as typeof values // the same fields with values of the same shape
  }
}

const tagsIn = (values: Values): ReadonlyArray<FieldValue> => {
  const tags = values?.['tags']
  return Array.isArray(tags) ? tags : []
}

const isMap = (value: FieldValue | undefined): value is { readonly [key: string]: FieldValue & {} } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const fieldsIn = (values: Values): { readonly [key: string]: FieldValue } => {
  const fields = values?.['custom_fields']
  return isMap(fields) ? fields : {}
}

async function tagNames(db: Kysely<Tables>, ids: ReadonlyArray<number>): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<{ id: number; name: string }>`
    select d.id, d.values ->> 'name' as name from tags d where d.id = any(${ids}::bigint[])`.execute(db)
  return new Map(rows.map(({ id, name }) => [id, name]))
}

async function fieldNames(db: Kysely<Tables>, keys: ReadonlyArray<string>): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0) return new Map()
  const { rows } = await sql<{ key: string; name: string }>`
    select k.key::text as key, d.values ->> 'name' as name
    from custom_field_keys k join custom_fields d on d.id = k.field_id where k.key = any(${keys}::bigint[])`.execute(db)
  return new Map(rows.map(({ key, name }) => [key, name]))
}
