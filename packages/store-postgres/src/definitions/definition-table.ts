import { type DefinitionKind, type Definitions, definitionModels, type FieldValues } from '@netbox-pbs/core'
import type { DefinitionFilter } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

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

/** The condition of a filter, after others. */
export function matching(kind: DefinitionKind, { ids, fields = {}, models, search }: DefinitionFilter) {
  const pattern = `%${(search ?? '').replaceAll(/[\\%_]/g, '\\$&')}%`
  const found = definitionModels[kind].search.map((name) => sql`${textOf(name)} ilike ${pattern}`)
  const conditions = [
    ...(ids === undefined ? [] : [sql`d.id = any(${ids.filter(Number.isSafeInteger)}::bigint[])`]),
    ...Object.entries(fields).map(
      ([name, values]) => sql`lower(${textOf(name)}) = any(${values.map((value) => value.toLowerCase())}::text[])`,
    ),
    ...(models === undefined ? [] : [ofModels(kind, models)]),
    ...(search === undefined ? [] : [sql`(${sql.join(found, sql` or `)})`]),
  ]
  return sql.join(
    conditions.map((condition) => sql`and ${condition}`),
    sql` `,
  )
}

/** A tag without models is for all of them. */
const ofModels = (kind: DefinitionKind, models: ReadonlyArray<string>): RawBuilder<unknown> =>
  kind === 'custom_field'
    ? sql`exists (select from custom_field_keys k where k.field_id = d.id and k.removed is null and k.model = any(${models}::text[]))`
    : sql`(d.values -> 'object_types' = '[]' or d.values -> 'object_types' ?| ${models}::text[])`

/** The sort key of a field: its text, number or truth value. */
export function sortKey(kind: DefinitionKind, name: string): RawBuilder<unknown> | null {
  if (name === 'id' || name === 'created' || name === 'last_updated') return sql.ref(`d.${name}`)
  const fields: Readonly<Record<string, { readonly type: string }>> = definitionModels[kind].fields
  const type = Object.hasOwn(fields, name) ? fields[name]?.type : undefined
  if (type === undefined || type === 'json') return null
  if (type === 'integer') return sql`${textOf(name)}::bigint`
  // People look for a name in the order of the alphabet, whatever its case.
  return type === 'text' ? sql`lower(${textOf(name)})` : textOf(name)
}
