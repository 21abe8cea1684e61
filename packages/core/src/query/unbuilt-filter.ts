import type { Field } from '../registry/field.ts'

/**
 * NetBox's lookups of text and of choices, and of numbers and datetimes
 * (netbox/utilities/constants.py, FILTER_*_LOOKUP_MAP).
 */
const textLookups = ['n', 'ic', 'nic', 'ie', 'nie', 'isw', 'nisw', 'iew', 'niew', 'empty', 'regex', 'iregex']
const numberLookups = ['n', 'lt', 'lte', 'gt', 'gte']

/**
 * NetBox's lookups that are not built, by the type of a column. NetBox has none for booleans and
 * JSON; `empty` of numbers and datetimes is built.
 */
const lookupsOf: Readonly<Record<Field['type'], ReadonlyArray<string>>> = {
  text: textLookups,
  choice: textLookups,
  integer: numberLookups,
  datetime: numberLookups,
  reference: ['n'],
  boolean: [],
  json: [],
}

/** Parameters that NetBox knows on every list and this project does not read yet. */
const unbuiltNames = new Set([
  'tag',
  'tag__n',
  'tag__any',
  'tag_id',
  'tag_id__n',
  'tag_id__any',
  'created_by_request',
  'updated_by_request',
  'modified_by_request',
  'filter',
  'filter_id',
  'export',
])

/**
 * Why a filter of NetBox is rejected; null: NetBox ignores the parameter too. Ignoring a filter
 * would return rows outside of it, which a client may then change or delete.
 */
export function unbuiltFilter(
  fields: Readonly<Record<string, Field>>,
  parameter: string,
  texts: ReadonlyArray<string>,
): string | null {
  if (unbuiltNames.has(parameter) || parameter.startsWith('cf_')) {
    return `The parameter ${parameter} is not offered yet: leave it out, and select among the rows of the response.`
  }
  const [name = '', lookup, ...more] = parameter.split('__')
  const field = lookup === undefined || more.length > 0 ? undefined : fieldOf(fields, name)
  if (lookup === undefined || field === undefined || !lookupsOf[field.type].includes(lookup)) return null
  // An empty value is no filter, as it is for the column itself; of choices it is one that does not exist.
  if (field.type !== 'choice' && texts.every((text) => text === '')) return null
  return unbuiltLookup(name, lookup)
}

/** The sentence that refuses a lookup. */
export const unbuiltLookup = (name: string, lookup: string): string =>
  `The lookup __${lookup} of ${name} is not offered yet: filter by ${name} itself, or select among the rows of the response.`

/** Every lookup that NetBox has for some type of field. */
export const netboxLookups: ReadonlySet<string> = new Set([...textLookups, ...numberLookups, 'any'])

/** The field that a filter is about: `server_id` is the reference `server`. */
function fieldOf(fields: Readonly<Record<string, Field>>, name: string): Field | undefined {
  if (Object.hasOwn(fields, name)) return fields[name]?.internal ? undefined : fields[name]
  const reference = name.endsWith('_id') ? name.slice(0, -'_id'.length) : ''
  return Object.hasOwn(fields, reference) && fields[reference]?.type === 'reference' ? fields[reference] : undefined
}
