import {
  type DefinitionKind,
  type Definitions,
  definitionListFields,
  definitionModels,
  type FieldValues,
  type FilterField,
} from '@netbox-pbs/core'
import type { DefinitionFilter } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { anyContains, recordCondition, recordListOf } from '../tables/record-list.ts'

/** The table of a kind of definition. */
export const definitionTables = {
  tag: 'tags',
  custom_field: 'custom_fields',
  choice_set: 'custom_field_choice_sets',
} as const satisfies Record<DefinitionKind, string>

/** A definition as its table has it. */
interface DefinitionRow {
  readonly id: number
  readonly values: FieldValues
  readonly created: string
  readonly last_updated: string
}

/** The table of a kind, under the alias `d`. */
export const definitionsOf = (kind: DefinitionKind): RawBuilder<unknown> => sql`${sql.table(definitionTables[kind])} d`

/** The values of `d` as a definition has them: the models of a custom field are in a table of their own. */
const valuesOf = (kind: DefinitionKind): RawBuilder<unknown> =>
  kind === 'custom_field'
    ? sql`d.values || jsonb_build_object('object_types', coalesce(
        (select jsonb_agg(k.model order by k.model) from custom_field_keys k where k.field_id = d.id and k.removed is null), '[]'))`
    : sql`d.values`

/** Selects definitions that were not removed. `rest`: a further condition, the order and the page. */
export async function selectDefinitions<K extends DefinitionKind>(
  db: Kysely<Tables>,
  kind: K,
  rest: RawBuilder<unknown>,
): Promise<ReadonlyArray<Definitions[K]>> {
  const { rows } = await sql<DefinitionRow>`
    select d.id, ${valuesOf(kind)} as values, d.created, d.last_updated from ${definitionsOf(kind)} where d.removed is null ${rest}`.execute(
    db,
  )
  return rows.map((row) => definitionOf(kind, row))
}

/** The mapper of a row: values that an older release did not store have their defaults. */
function definitionOf<K extends DefinitionKind>(kind: K, { values, ...row }: DefinitionRow): Definitions[K] {
  const defaults = Object.fromEntries(
    Object.entries(definitionModels[kind].fields).map(([name, field]) => [
      name,
      'default' in field ? field.default : null,
    ]),
  )
  // The values were checked against the fields of the kind when they were written.
  return { ...defaults, ...values, ...row } as unknown as Definitions[K]
}

/** A value of `d` as text. */
const textOf = (name: string): RawBuilder<unknown> => sql`(d.values ->> ${sql.lit(name)})`

const casts: Readonly<Record<FilterField['type'], string>> = {
  text: ' collate "C"',
  choice: ' collate "C"',
  integer: '::bigint',
  boolean: '::boolean',
  datetime: '::timestamptz',
  uuid: '::uuid',
  reference: '::bigint',
}

/** The list of a kind's definitions `d`, which people read by name in the order of the alphabet. */
export function definitionList(kind: DefinitionKind) {
  const fields = definitionListFields(kind)
  const columns = Object.fromEntries(
    Object.entries(fields).map(([name, { type }]) => [
      name,
      name === 'id' || name === 'created' || name === 'last_updated'
        ? sql.ref(`d.${name}`)
        : sql`${textOf(name)}${sql.raw(casts[type])}`,
    ]),
  )
  return recordListOf(fields, { columns, order: definitionOrder(kind), id: sql`d.id` })
}

/** The kind's own order. */
export const definitionOrder = (kind: DefinitionKind): RawBuilder<unknown> =>
  sql.join([
    ...definitionModels[kind].order.map((name) =>
      name === 'weight' ? sql`${textOf(name)}::bigint` : sql`lower(${textOf(name)})`,
    ),
    sql`d.id`,
  ])

/** The condition on `d` that a filter means, after others. */
export async function matching(
  db: Kysely<Tables>,
  kind: DefinitionKind,
  { where = [], models, search }: DefinitionFilter,
): Promise<RawBuilder<unknown>> {
  const asked = await recordCondition(db, definitionList(kind), where)
  const found =
    search === undefined ? sql`true` : await anyContains(db, definitionModels[kind].search.map(textOf), search)
  return sql`and ${asked} and ${models === undefined ? sql`true` : ofModels(kind, models)} and ${found}`
}

/** Those of the ids. */
export const withIds = (ids: ReadonlyArray<number>): RawBuilder<unknown> =>
  sql`and d.id = any(${ids.filter(Number.isSafeInteger)}::bigint[])`

/** A tag without models is for all of them. */
const ofModels = (kind: DefinitionKind, models: ReadonlyArray<string>): RawBuilder<unknown> => {
  if (kind === 'choice_set') return sql`true`
  return kind === 'custom_field'
    ? sql`exists (select from custom_field_keys k where k.field_id = d.id and k.removed is null and k.model = any(${models}::text[]))`
    : sql`(d.values -> 'object_types' = '[]' or d.values -> 'object_types' ?| ${models}::text[])`
}
