import type { CustomFieldType, ModelField, Tag } from '../definitions/definition.ts'
import { parseTimestamp } from '../timestamp.ts'
import { isId, notAChoice, parseFilter } from './filter-values.ts'
import type { CustomComparison, Filter } from './list-query.ts'
import { comparisonOf, type FilterField, splitParameter } from './lookups.ts'

/** The definitions that the parameters of a list may name: the custom fields of its model, and tags. */
export interface ListDefinitions {
  readonly fields: ReadonlyArray<ModelField>
  readonly tags: ReadonlyArray<Tag>
}

/** Those of a request that names none. */
export const noListDefinitions: ListDefinitions = { fields: [], tags: [] }

/** What parameters about tags and custom fields need looked up. */
export interface NamedDefinitions {
  /** Whether a parameter is about a custom field. */
  readonly fields: boolean
  readonly tagIds: ReadonlyArray<number>
  readonly slugs: ReadonlyArray<string>
}

/** Whether a parameter is about tags or custom fields. */
export const isAttachedParameter = (name: string): boolean => /^(tag|tag_id)(__|$)|^cf_/.test(name)

/** What the parameters of a list need looked up before they are read. */
export function namedDefinitions(params: URLSearchParams): NamedDefinitions {
  const texts = (pattern: RegExp) => [...params].flatMap(([name, text]) => (pattern.test(name) ? [text] : []))
  return {
    fields: [...params.keys()].some((name) => name.startsWith('cf_')),
    tagIds: [
      ...new Set(
        texts(/^tag_id(__n|__any)?$/)
          .filter(isId)
          .map(Number)
          .filter(Number.isSafeInteger),
      ),
    ],
    slugs: [...new Set(texts(/^tag(__n|__any)?$/))],
  }
}

/** What a parameter means. `unknown`: it is not about tags or custom fields, or NetBox ignores it. */
export type ParsedAttachedFilter =
  | { readonly _tag: 'filters'; readonly filters: ReadonlyArray<Filter> }
  | { readonly _tag: 'absent' }
  | { readonly _tag: 'unknown' }
  | { readonly _tag: 'invalid'; readonly message: string }

/**
 * Reads `tag`, `tag_id` and `cf_…` with their suffixes, as NetBox does. Repeats of `tag` all hold,
 * those of `tag__any` are alternatives, and `tag__n` is none of them.
 */
export function parseAttachedFilter(
  parameter: string,
  texts: ReadonlyArray<string>,
  { fields, tags }: ListDefinitions,
): ParsedAttachedFilter {
  const { name, suffix } = splitParameter(parameter)
  if (name === 'tag' || name === 'tag_id') return tagFilter(name, suffix, texts, tags)
  const field = name.startsWith('cf_') ? fields.find((one) => one.name === name.slice('cf_'.length)) : undefined
  return field === undefined || field.filter_logic === 'disabled' ? unknown : customFilter(field, suffix, texts)
}

const unknown = { _tag: 'unknown' } as const
const invalid = (message: string) => ({ _tag: 'invalid', message }) as const

function tagFilter(
  name: 'tag' | 'tag_id',
  suffix: string | null,
  texts: ReadonlyArray<string>,
  tags: ReadonlyArray<Tag>,
): ParsedAttachedFilter {
  if (suffix !== null && suffix !== 'n' && suffix !== 'any') return unknown
  const wrong = name === 'tag_id' ? texts.find((text) => text !== 'null' && !isId(text)) : undefined
  if (wrong !== undefined) return invalid(`“${wrong}” is not a valid value.`)
  const ids = texts.map((text) =>
    text === 'null' ? null : tags.find(({ id, slug }) => (name === 'tag' ? slug === text : id === Number(text)))?.id,
  )
  const missing = texts.find((_, place) => ids[place] === undefined)
  if (missing !== undefined) return invalid(notAChoice(missing))
  const values = ids.filter((id) => id !== undefined)
  const filter = { field: 'tags', lookup: 'exact', values } as const
  if (suffix === 'n') return { _tag: 'filters', filters: [{ ...filter, negated: true }] }
  return { _tag: 'filters', filters: suffix === 'any' ? [filter] : values.map((id) => ({ ...filter, values: [id] })) }
}

/** How the values of a type are compared; null: NetBox has no filter for it. */
const comparedAs: Readonly<Record<CustomFieldType, CustomComparison['as'] | null>> = {
  text: 'text',
  longtext: 'text',
  url: 'text',
  select: 'text',
  integer: 'number',
  decimal: 'number',
  boolean: 'boolean',
  date: 'text',
  datetime: 'datetime',
  multiselect: 'members',
  json: null,
}

const int64 = { type: 'integer', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER } as const

/** The type whose suffixes and values a custom field has. */
const readAs: Readonly<Record<CustomFieldType, FilterField>> = {
  text: { type: 'text' },
  longtext: { type: 'text' },
  url: { type: 'text' },
  select: { type: 'text' },
  integer: int64,
  decimal: int64,
  boolean: { type: 'boolean' },
  date: { type: 'datetime' },
  datetime: { type: 'datetime' },
  multiselect: { type: 'text' },
  json: { type: 'text' },
}

function customFilter(field: ModelField, suffix: string | null, texts: ReadonlyArray<string>): ParsedAttachedFilter {
  const { type, key, filter_logic: logic } = field
  const as = comparedAs[type]
  if (as === null) return unknown
  const custom = { key, as }
  const loose = logic === 'loose' && (type === 'text' || type === 'longtext' || type === 'url')
  // NetBox makes suffixes only for filters that compare whole values.
  if (suffix !== null && (loose || as === 'members')) return unknown
  if (type === 'decimal' || type === 'date') {
    const read = ofOwnType(type, texts)
    if (read === null) return { _tag: 'absent' }
    const comparison = comparisonOf('integer', suffix)
    if (comparison === undefined) return unknown
    if (comparison.lookup !== 'empty') {
      if (typeof read === 'string') return invalid(read)
      return filters({
        field: 'custom_fields',
        custom,
        lookup: comparison.lookup,
        negated: comparison.negated,
        values: read,
      })
    }
  }
  const parameter = `value${suffix === null ? '' : `__${suffix}`}`
  const parsed = parseFilter({ value: readAs[type] }, parameter, texts)
  if (parsed._tag === 'reference') return unknown
  if (parsed._tag !== 'filter') return parsed
  const { lookup, negated = false, values } = parsed.filter
  // A loose field looks for a part of the text; `null` stands for no value there too.
  return loose && !values.includes(null)
    ? filters({ field: 'custom_fields', custom, lookup: 'ic', negated: false, values })
    : filters({ field: 'custom_fields', custom, lookup, negated, values })
}

const filters = ({ negated, ...filter }: Filter): ParsedAttachedFilter => ({
  _tag: 'filters',
  filters: [{ ...filter, ...(negated ? { negated } : {}) }],
})

/** Decimals and days, which no column has; a sentence where they cannot be read, null where there are none. */
function ofOwnType(type: 'decimal' | 'date', texts: ReadonlyArray<string>): Filter['values'] | string | null {
  const given = texts.map((text) => text.trim()).filter((text) => text !== '')
  if (given.length === 0) return null
  if (type === 'decimal')
    return given.every((text) => /^[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})$/.test(text))
      ? given.map(Number)
      : 'Enter a number.'
  const days = given.map((text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : null))
  return days.includes(null) ? 'Enter a valid date.' : given
}
