import type { Presentation } from '../query/page-request.ts'
import type { JsonValue } from '../registry/field.ts'
import { type ChoicePair, type DefinitionKind, definitionModels, type ModelField, type Tag } from './definition.ts'

/** Path of the list of a kind of definitions in REST: NetBox's own. */
export const definitionsPath = (kind: DefinitionKind): string => `/api/extras/${definitionModels[kind].path}/`

/** Address of a definition in REST. */
export const definitionUrl = (base: string, kind: DefinitionKind, id: number): string =>
  `${base}${definitionsPath(kind)}${id}/`

/** Address that NetBox has for a definition's page. */
export const definitionPage = (base: string, kind: DefinitionKind, id: number): string =>
  `${base}/extras/${definitionModels[kind].path}/${id}/`

/** The definitions of what people attach to the rows of one model: its custom fields, and the tags of some rows. */
export interface Attached {
  readonly fields: ReadonlyArray<ModelField>
  readonly tags: ReadonlyMap<number, Tag>
}

/** What a row has of them: the ids of its tags, and values by the keys of custom fields. */
export interface AttachedValues {
  readonly tags: ReadonlyArray<JsonValue>
  readonly custom_fields: { readonly [key: string]: JsonValue }
}

/** Those of rows of which nothing attached is read. */
export const noDefinitions: Attached = { fields: [], tags: new Map() }

/** Whether an answer shows tags or custom fields. */
export const needsDefinitions = ({ fields, omit, brief }: Presentation): boolean => {
  if (fields !== null) return fields.includes('tags') || fields.includes('custom_fields')
  return omit === null ? !brief : !(omit.includes('tags') && omit.includes('custom_fields'))
}

/** The tags of a row, in their own order. A tag that was deleted is passed over. */
export const tagsOf = ({ tags: ids }: Pick<AttachedValues, 'tags'>, { tags }: Attached): ReadonlyArray<Tag> =>
  ids
    .flatMap((id) => (typeof id === 'number' ? (tags.get(id) ?? []) : []))
    .toSorted((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : 1))

/** The tags of a row as REST answers them. */
export const servedTags = (row: AttachedValues, base: string, attached: Attached) =>
  tagsOf(row, attached).map(({ id, name, slug, color }) => ({
    id,
    url: definitionUrl(base, 'tag', id),
    display_url: definitionPage(base, 'tag', id),
    display: name,
    name,
    slug,
    color,
  }))

/** The custom fields of a row as REST answers them: every field of its model, null where it has no value. */
export const servedCustomFields = (row: AttachedValues, { fields }: Attached): Readonly<Record<string, unknown>> =>
  Object.fromEntries(fields.map((field) => [field.name, servedValue(field, row.custom_fields[field.key] ?? null)]))

function servedValue({ type, choices }: ModelField, value: JsonValue): unknown {
  if (type === 'select') return value === null || value === '' ? null : withLabel(choices, value)
  return type === 'multiselect' && Array.isArray(value) ? value.map((one) => withLabel(choices, one)) : value
}

/** A value that is no choice any more is its own label. */
export const withLabel = (choices: ReadonlyArray<ChoicePair>, value: JsonValue) => ({
  value,
  label: choices.find(([one]) => one === value)?.[1] ?? value,
})
