import type { Attached, ModelField, ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { definitionOrder, selectDefinitions, withIds } from './definition-table.ts'

/** The custom fields of a model's rows, in the order in which people read them. */
export async function modelFields(db: Kysely<Tables>, model: ModelName): Promise<ReadonlyArray<ModelField>> {
  const { rows: keys } = await sql<{ key: string; field_id: number }>`
    select k.key::text as key, k.field_id from custom_field_keys k where k.model = ${model} and k.removed is null`.execute(
    db,
  )
  if (keys.length === 0) return []
  const fields = await selectDefinitions(
    db,
    'custom_field',
    sql`${withIds(keys.map(({ field_id }) => field_id))} order by ${definitionOrder('custom_field')}`,
  )
  const sets = fields.flatMap(({ choice_set }) => choice_set ?? [])
  const found = sets.length === 0 ? [] : await selectDefinitions(db, 'choice_set', withIds(sets))
  const keyOf = new Map(keys.map(({ key, field_id }) => [field_id, key]))
  return fields.flatMap((field): ReadonlyArray<ModelField> => {
    const key = keyOf.get(field.id)
    const set = found.find(({ id }) => id === field.choice_set)
    const choices = set?.extra_choices ?? []
    return key === undefined ? [] : [{ ...field, key, choices, choiceSetName: set?.name ?? null }]
  })
}

/** The definitions of what is attached to rows of a model that have these tags. */
export async function attachedTo(
  db: Kysely<Tables>,
  model: ModelName,
  tagIds: ReadonlyArray<number>,
): Promise<Attached> {
  const tags = tagIds.length === 0 ? [] : await selectDefinitions(db, 'tag', withIds(tagIds))
  return { fields: await modelFields(db, model), tags: new Map(tags.map((tag) => [tag.id, tag])) }
}
