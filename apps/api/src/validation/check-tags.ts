import { type FieldValue, type ModelName, registry, type Tag } from '@netbox-pbs/core'
import { pythonText, pythonType } from './python-text.ts'
import { ownValue } from './validate-item.ts'

/** The errors of a list of tags: of the list, under `__all__`; or of its items by their places. */
export type TagErrors =
  | ReadonlyArray<string>
  | { readonly __all__: ReadonlyArray<string> }
  | ReadonlyArray<ReadonlyArray<string> | Readonly<Record<string, never>>>

/** The fields of a body that name tags. */
const names = ['tags', 'add_tags', 'remove_tags'] as const

/** The tags that a body may mean, to be looked up before it is checked. */
export interface NamedTags {
  readonly ids: ReadonlyArray<number>
  readonly names: ReadonlyArray<string>
  readonly slugs: ReadonlyArray<string>
}

/** Tags in one list of a body: more would make a look-up without bound. */
const maxTags = 1000

/** Looks for tags in the objects of a body. */
export function tagsNamed(inputs: ReadonlyArray<unknown>): NamedTags {
  const items = inputs.flatMap((input) =>
    typeof input === 'object' && input !== null
      ? names.flatMap((name) => {
          const value = ownValue(input, name)
          return Array.isArray(value) ? value.slice(0, maxTags) : []
        })
      : [],
  )
  const read = items.map(readTag).filter((tag) => tag._tag === 'attributes' || tag._tag === 'id')
  const texts = (key: string) =>
    read.flatMap((tag) => {
      const value = tag._tag === 'attributes' ? tag.attributes[key] : undefined
      return typeof value === 'string' ? [value] : []
    })
  const ids = read.flatMap((tag) => (tag._tag === 'id' ? [tag.id] : idOf(tag.attributes['id'])))
  return { ids: [...new Set(ids)], names: [...new Set(texts('name'))], slugs: [...new Set(texts('slug'))] }
}

const idOf = (value: unknown): ReadonlyArray<number> =>
  (typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value))) &&
  Number.isSafeInteger(Number(value))
    ? [Number(value)]
    : []

/** The tags of a body as a write has them: the whole set, or tags that come or go. */
interface CheckedTags {
  readonly values: Readonly<Record<string, FieldValue>>
  readonly errors: Readonly<Record<string, TagErrors>>
  readonly together: ReadonlyArray<string>
}

/** Checks the tags of a body against those it may mean. */
export function checkTags(model: ModelName, input: object, known: ReadonlyArray<Tag>, isNew: boolean): CheckedTags {
  const errors: Record<string, TagErrors> = {}
  const ids: Partial<Record<(typeof names)[number], ReadonlyArray<number>>> = {}
  for (const name of names) {
    const value = ownValue(input, name)
    if (value === undefined) continue
    const read = readList(value, known)
    if (read._tag === 'ids') ids[name] = read.ids
    // NetBox does not say which of its two further lists is no list.
    else if (name !== 'tags' && !Array.isArray(value)) errors['__all__'] = [noList(value)]
    else errors[name] = read.errors
  }
  const { tags, add_tags: added = [], remove_tags: removed = [] } = ids
  if (tags !== undefined && tags.length > 0 && added.length + removed.length > 0)
    errors['tags'] = ['Cannot specify "tags" together with "add_tags" or "remove_tags".']
  else if (isNew && removed.length > 0) errors['remove_tags'] = ['Cannot use "remove_tags" when creating a new object.']
  else if (added.some((id) => removed.includes(id)))
    errors['remove_tags'] = [
      `Tags may not be present in both "add_tags" and "remove_tags": ${known
        .filter(({ id }) => added.includes(id) && removed.includes(id))
        .map(({ name }) => name)
        .join(', ')}`,
    ]
  if (Object.keys(errors).length > 0) return { values: {}, errors, together: [] }
  const foreign = known.find(
    ({ id, object_types: models }) =>
      models.length > 0 && !models.includes(model) && [...(tags ?? []), ...added].includes(id),
  )
  const together =
    foreign === undefined
      ? []
      : [`Tag ${foreign.name} cannot be assigned to ${registry[model].objectType.split('.')[1]} objects.`]
  if (isNew) return { values: { tags: unique([...(tags ?? []), ...added]) }, errors, together }
  return {
    values: {
      ...(tags === undefined ? {} : { tags: unique(tags) }),
      ...(added.length > 0 ? { add_tags: unique(added) } : {}),
      ...(removed.length > 0 ? { remove_tags: unique(removed) } : {}),
    },
    errors,
    together,
  }
}

const unique = (ids: ReadonlyArray<number>): ReadonlyArray<number> => [...new Set(ids)].sort((a, b) => a - b)

function readList(
  value: unknown,
  known: ReadonlyArray<Tag>,
):
  | { readonly _tag: 'ids'; readonly ids: ReadonlyArray<number> }
  | { readonly _tag: 'wrong'; readonly errors: TagErrors } {
  if (value === null) return { _tag: 'wrong', errors: ['This field may not be null.'] }
  if (!Array.isArray(value))
    return {
      _tag: 'wrong',
      errors: { __all__: [noList(value)] },
    }
  if (value.length > maxTags)
    return { _tag: 'wrong', errors: { __all__: [`Ensure this field has no more than ${maxTags} elements.`] } }
  const found = value.map((item) => findTag(item, known))
  return found.some((one) => typeof one === 'string')
    ? { _tag: 'wrong', errors: found.map((one) => (typeof one === 'string' ? [one] : {})) }
    : { _tag: 'ids', ids: found.filter((one) => typeof one === 'number') }
}

const noList = (value: unknown): string => `Expected a list of items but got type "${pythonType(value)}".`

type TagReference =
  | { readonly _tag: 'id'; readonly id: number; readonly text: string }
  | { readonly _tag: 'attributes'; readonly attributes: Readonly<Record<string, unknown>> }
  | { readonly _tag: 'wrong'; readonly message: string }

/** Keys of a tag as it is read, which say nothing about which one it is. */
const links = new Set(['url', 'display_url', 'display'])

const attributeNames = ['id', 'name', 'slug', 'color', 'description', 'weight'] as const

function readTag(item: unknown): TagReference {
  if (item === null) return { _tag: 'wrong', message: 'This field may not be null.' }
  if (typeof item === 'object' && !Array.isArray(item)) {
    const attributes = Object.fromEntries(Object.entries(item).filter(([key]) => !links.has(key)))
    const unknown = Object.keys(attributes).find((key) => !attributeNames.some((name) => name === key))
    return unknown === undefined
      ? { _tag: 'attributes', attributes }
      : {
          _tag: 'wrong',
          message: `Cannot resolve keyword ${pythonText(unknown)} into field. Choices are: ${[...attributeNames].sort().join(', ')}`,
        }
  }
  const [id] = idOf(typeof item === 'boolean' ? undefined : item)
  return id === undefined
    ? {
        _tag: 'wrong',
        message: `Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: ${typeof item === 'string' ? item : pythonText(item)}`,
      }
    : { _tag: 'id', id, text: String(item) }
}

/** The id of the tag that is meant, or why there is none. */
function findTag(item: unknown, known: ReadonlyArray<Tag>): number | string {
  const read = readTag(item)
  if (read._tag === 'wrong') return read.message
  if (read._tag === 'id')
    return known.some(({ id }) => id === read.id)
      ? read.id
      : `Related object not found using the provided numeric ID: ${read.text}`
  const attributes = Object.entries(read.attributes)
  const found = known.filter((tag) => attributes.every(([name, value]) => isSame(tag, name, value)))
  if (attributes.length === 0 || found.length > 1)
    return `Multiple objects match the provided attributes: ${pythonText(read.attributes)}`
  return found[0]?.id ?? `Related object not found using the provided attributes: ${pythonText(read.attributes)}`
}

function isSame(tag: Tag, name: string, value: unknown): boolean {
  const own: Readonly<Record<string, unknown>> = { ...tag }
  return name === 'id' || name === 'weight' ? String(own[name]) === String(value) : own[name] === value
}
