import type { ChoiceField, Field, ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'
import { parseTimestamp } from '../timestamp.ts'
import type { Filter } from './list-query.ts'

/** The values of one parameter, as a column understands them. `absent`: as if the parameter had not been sent. */
type FilterValues =
  | { readonly _tag: 'values'; readonly values: Filter['values'] }
  | { readonly _tag: 'absent' }
  | { readonly _tag: 'ignored' }
  | { readonly _tag: 'invalid'; readonly message: string }

/** The columns a list can be filtered by; references are looked up, JSON is not filtered. */
export type FilterableField = Exclude<Field, { readonly type: 'reference' | 'json' }>

/**
 * Reads the values of a parameter in the type of its column. An empty value is absent, but none of
 * the choices of a choice.
 */
export function filterValues(field: FilterableField, texts: ReadonlyArray<string>): FilterValues {
  if (field.type === 'choice') return choiceValues(field, texts)
  const given = texts.filter((text) => text !== '')
  if (given.length === 0) return { _tag: 'absent' }
  switch (field.type) {
    case 'text':
      return textValues(given)
    case 'integer':
      return integerValues(field, given)
    case 'boolean':
      return booleanValue(given)
    case 'datetime':
      return datetimeValues(given)
  }
}

function choiceValues(field: ChoiceField, texts: ReadonlyArray<string>): FilterValues {
  const wrong = texts.find((text) => !field.choices.some(({ value }) => value === text))
  return wrong === undefined ? { _tag: 'values', values: texts } : { _tag: 'invalid', message: notAChoice(wrong) }
}

function textValues(texts: ReadonlyArray<string>): FilterValues {
  if (texts.some((text) => text.includes('\0'))) {
    return { _tag: 'invalid', message: 'Null characters are not allowed.' }
  }
  return { _tag: 'values', values: texts.map((text) => (text === 'null' ? null : text.trim())) }
}

const wholeNumber = /^\s*[+-]?\d+(?:\.0*)?\s*$/

function integerValues(
  { min, max }: { readonly min: number; readonly max: number },
  texts: ReadonlyArray<string>,
): FilterValues {
  if (!texts.every((text) => wholeNumber.test(text))) return { _tag: 'invalid', message: 'Enter a whole number.' }
  // A number that the column cannot hold matches no row; left in, it would also be out of range for the database.
  return { _tag: 'values', values: texts.map(Number).filter((value) => value >= min && value <= max) }
}

const truth: Readonly<Record<string, boolean>> = { true: true, True: true, false: false, False: false }

/** NetBox understands these four words and takes anything else as no filter; of several the last one counts. */
function booleanValue(texts: ReadonlyArray<string>): FilterValues {
  const value = truth[texts.at(-1) ?? '']
  return value === undefined ? { _tag: 'ignored' } : { _tag: 'values', values: [value] }
}

function datetimeValues(texts: ReadonlyArray<string>): FilterValues {
  const values = texts.map(parseTimestamp)
  return values.every((value) => value !== null)
    ? { _tag: 'values', values }
    : { _tag: 'invalid', message: 'Enter a valid date/time.' }
}

/** Values of a parameter that name rows of another model. `null` means: without such a row. */
export interface ReferenceLookup {
  /** The parameter as sent: `server` or `server_id`. */
  readonly parameter: string
  readonly field: string
  readonly model: ModelName
  /** By name, then by id where nothing has that name; or by id alone. */
  readonly by: 'name' | 'id'
  readonly values: ReadonlyArray<string | null>
}

type ParsedReference =
  | { readonly _tag: 'lookup'; readonly lookup: ReferenceLookup }
  | { readonly _tag: 'invalid'; readonly message: string }

/**
 * Reads `server` and `server_id` of a model with a reference `server`; undefined when the parameter
 * is no reference of the model.
 */
export function parseReference(
  model: ModelName,
  parameter: string,
  texts: ReadonlyArray<string>,
): ParsedReference | undefined {
  const byId = parameter.endsWith('_id')
  const name = byId ? parameter.slice(0, -'_id'.length) : parameter
  const field = Object.entries<Field>(registry[model].fields).find(([key]) => key === name)?.[1]
  if (field?.type !== 'reference') return undefined
  const wrong = byId ? texts.find((text) => text !== 'null' && !isId(text)) : undefined
  if (wrong !== undefined) return { _tag: 'invalid', message: `“${wrong}” is not a valid value.` }
  const values = texts.map((text) => (text === 'null' ? null : text))
  return { _tag: 'lookup', lookup: { parameter, field: name, model: field.model, by: byId ? 'id' : 'name', values } }
}

/** Whether a text is a whole number, as ids are written. */
export const isId = (text: string): boolean => /^\s*[+-]?\d+\s*$/.test(text)

/** NetBox's sentence about a filter value that is none of those to choose from. */
export const notAChoice = (value: string): string =>
  `Select a valid choice. ${value} is not one of the available choices.`
