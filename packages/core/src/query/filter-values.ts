import type { Field, Fields } from '../registry/field.ts'
import { parseTimestamp } from '../timestamp.ts'
import type { Filter, Lookup } from './list-query.ts'
import { type Comparison, comparisonOf, type FilterField, type ReferencedModel, splitParameter } from './lookups.ts'
import { patternFault } from './regular-expression.ts'

/** The conditions of a filter, without its field. */
type Condition = Pick<Filter, 'lookup' | 'values'>

/** The values of one parameter, as a column understands them. `absent`: as if the parameter had not been sent. */
type FilterValues =
  | ({ readonly _tag: 'values' } & Condition)
  | { readonly _tag: 'absent' }
  | { readonly _tag: 'ignored' }
  | { readonly _tag: 'invalid'; readonly message: string }

/** What a parameter means to a list. `unknown`: no field of the list has it. */
export type ParsedFilter =
  | { readonly _tag: 'filter'; readonly filter: Filter }
  | { readonly _tag: 'reference'; readonly lookup: ReferenceLookup }
  | { readonly _tag: 'absent' }
  | { readonly _tag: 'unknown' }
  | { readonly _tag: 'invalid'; readonly message: string }

/** Values of one parameter that are accepted: more would make a statement without bound. */
export const maxValues = 1000

const invalid = (message: string) => ({ _tag: 'invalid', message }) as const
const matching = (lookup: Lookup, values: Filter['values']) => ({ _tag: 'values', lookup, values }) as const

/**
 * Reads a parameter such as `name`, `name__nic` or `server_id__n` against the fields of a list, as
 * NetBox does: repeats are alternatives, an empty value is none, and a suffix that the field's type
 * lacks is unknown.
 */
export function parseFilter(
  fields: Fields | Readonly<Record<string, FilterField>>,
  parameter: string,
  texts: ReadonlyArray<string>,
): ParsedFilter {
  const { name, suffix } = splitParameter(parameter)
  const field: Field | FilterField | undefined = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (texts.length > maxValues) return invalid(`At most ${maxValues} values can be given.`)
  if (field === undefined) return parseReference(fields, { parameter, name, suffix, texts })
  if (field.type === 'json' || ('internal' in field && field.internal)) return { _tag: 'unknown' }
  const comparison = comparisonOf(field.type, suffix)
  if (comparison === undefined) return { _tag: 'unknown' }
  if (field.type === 'reference')
    return referenceTo(field.model, { field: name, parameter, by: 'name', texts, comparison })
  const read = filterValues(field, comparison.lookup, texts)
  switch (read._tag) {
    case 'values':
      return filterOf(name, comparison, read)
    case 'ignored':
      return { _tag: 'unknown' }
    default:
      return read
  }
}

/** A filter by a field; only a negated one says so. */
const filterOf = (field: string, { negated }: Comparison, { lookup, values }: Condition) =>
  ({ _tag: 'filter', filter: { field, lookup, ...(negated ? { negated } : {}), values } }) as const

function filterValues(
  field: Exclude<FilterField, { type: 'reference' }>,
  lookup: Lookup,
  texts: ReadonlyArray<string>,
): FilterValues {
  if (lookup === 'empty')
    return booleanValue(
      lookup,
      texts.filter((text) => text !== ''),
    )
  // An empty value is none, but none of the choices of a choice.
  if (field.type === 'choice') return choiceValues(field.choices, lookup, texts)
  const given = texts.filter((text) => text !== '')
  if (given.length === 0) return { _tag: 'absent' }
  switch (field.type) {
    case 'text':
      return textValues(lookup, given)
    case 'integer':
      return integerValues(field, lookup, given)
    case 'boolean':
      return booleanValue(lookup, given)
    case 'datetime':
      return datetimeValues(lookup, given)
    case 'uuid':
      return uuidValues(lookup, given)
  }
}

/**
 * Every value has to be a whole choice, whatever the lookup, so that its choices are known here: those
 * that contain `reachable` are `reachable` and `unreachable`.
 */
function choiceValues(
  choices: ReadonlyArray<{ readonly value: string }>,
  lookup: Lookup,
  texts: ReadonlyArray<string>,
): FilterValues {
  const wrong = texts.find((text) => !choices.some(({ value }) => value === text))
  if (wrong !== undefined) return invalid(notAChoice(wrong))
  const isMet = choiceComparisons[lookup]
  if (isMet === undefined) return matching('exact', texts)
  return matching(
    'exact',
    choices.map(({ value }) => value).filter((value) => texts.some((text) => isMet(value, text))),
  )
}

/** Choices are words in lower case, so that an expression of one is found where it is contained. */
const choiceComparisons: Readonly<Partial<Record<Lookup, (value: string, text: string) => boolean>>> = {
  ic: (value, text) => value.includes(text),
  isw: (value, text) => value.startsWith(text),
  iew: (value, text) => value.endsWith(text),
  regex: (value, text) => value.includes(text),
  iregex: (value, text) => value.includes(text),
}

const nullable: ReadonlySet<Lookup> = new Set(['exact', 'ie'])

/** The word `null` is no value; NetBox fails where it is looked for in another way than as a whole. */
function textValues(lookup: Lookup, texts: ReadonlyArray<string>): FilterValues {
  if (texts.some((text) => text.includes('\0'))) return invalid('Null characters are not allowed.')
  const values = texts.map((text) => text.trim())
  const isPattern = lookup === 'regex' || lookup === 'iregex'
  const fault = isPattern ? values.map(patternFault).find((message) => message !== null) : undefined
  if (fault !== undefined) return invalid(fault)
  const read = values.map((text) => (text === 'null' ? null : text))
  return read.includes(null) && !nullable.has(lookup)
    ? invalid('null stands for no value and cannot be looked for in this way: filter with __empty.')
    : matching(lookup, read)
}

const wholeNumber = /^\s*[+-]?\d+(?:\.0*)?\s*$/

function integerValues(
  { min, max }: { readonly min: number; readonly max: number },
  lookup: Lookup,
  texts: ReadonlyArray<string>,
): FilterValues {
  if (!texts.every((text) => wholeNumber.test(text))) return invalid('Enter a whole number.')
  const numbers = texts.map(Number)
  // A number that the column cannot hold equals none; left in, it would also be out of range for the database.
  return lookup === 'exact'
    ? matching(
        lookup,
        numbers.filter((value) => value >= min && value <= max),
      )
    : bound(lookup, numbers)
}

/** Of several bounds the widest one counts; one beyond the whole numbers becomes the next that is not. */
function bound(lookup: Lookup, numbers: ReadonlyArray<number>): FilterValues {
  const { MAX_SAFE_INTEGER: most, MIN_SAFE_INTEGER: least } = Number
  const isUpper = lookup === 'lt' || lookup === 'lte'
  const value = isUpper ? Math.max(...numbers) : Math.min(...numbers)
  if (value > most) return matching(isUpper ? 'lte' : 'gt', [most])
  if (value < least) return matching(isUpper ? 'lt' : 'gte', [least])
  return matching(lookup, [value])
}

const truth: Readonly<Record<string, boolean>> = { true: true, True: true, false: false, False: false }

/** NetBox understands these four words and takes anything else as no filter; of several the last one counts. */
function booleanValue(lookup: Lookup, texts: ReadonlyArray<string>): FilterValues {
  if (texts.length === 0) return { _tag: 'absent' }
  const text = texts.at(-1) ?? ''
  return Object.hasOwn(truth, text) ? matching(lookup, [truth[text] === true]) : { _tag: 'ignored' }
}

function datetimeValues(lookup: Lookup, texts: ReadonlyArray<string>): FilterValues {
  const values = texts.map(parseTimestamp)
  return values.includes(null) ? invalid('Enter a valid date/time.') : matching(lookup, values)
}

function uuidValues(lookup: Lookup, texts: ReadonlyArray<string>): FilterValues {
  const values = texts.map(parseUuid)
  return values.includes(null) ? invalid('Enter a valid UUID.') : matching(lookup, values)
}

/** A UUID as Python reads it: with or without hyphens, braces and `urn:uuid:`; null: it is none. */
export function parseUuid(text: string): string | null {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/^urn:uuid:/, '')
    .replaceAll(/[{}-]/g, '')
  return /^[0-9a-f]{32}$/.test(digits) ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : null
}

/** Values of a parameter that name rows of another model. `null` means: without such a row. */
export interface ReferenceLookup {
  /** The parameter as sent: `server` or `server_id__n`. */
  readonly parameter: string
  readonly field: string
  readonly model: ReferencedModel
  /** By name, then by id where nothing has that name; or by id alone. */
  readonly by: 'name' | 'id'
  readonly negated: boolean
  readonly values: ReadonlyArray<string | null>
}

/** Reads `server_id` of a model with a reference `server`. */
function parseReference(
  fields: Fields | Readonly<Record<string, FilterField>>,
  {
    parameter,
    name,
    suffix,
    texts,
  }: {
    readonly parameter: string
    readonly name: string
    readonly suffix: string | null
    readonly texts: ReadonlyArray<string>
  },
): ParsedFilter {
  const reference = name.endsWith('_id') ? name.slice(0, -'_id'.length) : ''
  const field: Field | FilterField | undefined = Object.hasOwn(fields, reference) ? fields[reference] : undefined
  const comparison = comparisonOf('reference', suffix)
  return field?.type !== 'reference' || comparison === undefined
    ? { _tag: 'unknown' }
    : referenceTo(field.model, { field: reference, parameter, by: 'id', texts, comparison })
}

function referenceTo(
  model: ReferencedModel,
  {
    texts,
    comparison,
    ...about
  }: Pick<ReferenceLookup, 'field' | 'parameter' | 'by'> & {
    readonly texts: ReadonlyArray<string>
    readonly comparison: Comparison
  },
): ParsedFilter {
  const wrong = about.by === 'id' ? texts.find((text) => text !== 'null' && !isId(text)) : undefined
  if (wrong !== undefined) return invalid(`“${wrong}” is not a valid value.`)
  const values = texts.map((text) => (text === 'null' ? null : text))
  return { _tag: 'reference', lookup: { ...about, model, negated: comparison.negated, values } }
}

/** Whether a text is a whole number, as ids are written. */
export const isId = (text: string): boolean => /^\s*[+-]?\d+\s*$/.test(text)

/** NetBox's sentence about a filter value that is none of those to choose from. */
export const notAChoice = (value: string): string =>
  `Select a valid choice. ${value} is not one of the available choices.`
