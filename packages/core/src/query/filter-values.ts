import type { ChoiceField, Field } from '../registry/field.ts'
import { parseTimestamp } from '../timestamp.ts'
import { notAChoice } from './choice-error.ts'
import type { Filter } from './list-query.ts'

/** What the values of one parameter mean for a column. `absent`: as if the parameter had not been sent. */
export type FilterValues =
  | { readonly _tag: 'values'; readonly values: Filter['values'] }
  | { readonly _tag: 'absent' }
  | { readonly _tag: 'ignored' }
  | { readonly _tag: 'invalid'; readonly message: string }

/** The columns a list can be filtered by; references are looked up, JSON is not filtered. */
export type FilterableField = Exclude<Field, { readonly type: 'reference' | 'json' }>

/** Reads the values of a parameter in the type of its column. An empty value is absent, but none of the choices of a choice. */
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
