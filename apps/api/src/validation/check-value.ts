import {
  areSleepHours,
  type Choice,
  type Field,
  type FieldValue,
  parseTimestamp,
  type TextField,
} from '@netbox-pbs/core'
import { isCron } from '@netbox-pbs/sync'
import { pythonText } from './python-text.ts'

/** A field that holds one value of its own: neither another row nor JSON. */
type PlainField = Exclude<Field, { readonly type: 'reference' | 'json' }>

/** Judges the value of a plain field. Null is a value where the field says so; of a choice it counts as blank. */
export function checkValue(field: PlainField, input: unknown): Checked {
  if (input === null && field.type !== 'choice') return field.nullable ? accepted(null) : notNull
  switch (field.type) {
    case 'text':
      return checkText(field, input)
    case 'integer':
      return checkInteger(field, input)
    case 'boolean':
      return checkBoolean(input)
    case 'datetime':
      return checkDatetime(input)
    case 'choice':
      return checkChoice(field, input)
  }
}

/** Text is trimmed; numbers are taken as their text. Length is counted in characters, not in UTF-16 units. */
export function checkText(
  {
    max,
    required = false,
    format,
  }: { readonly max: number; readonly required?: boolean; readonly format?: TextField['format'] },
  input: unknown,
): Checked {
  if (typeof input !== 'string' && typeof input !== 'number') return rejected('Not a valid string.')
  const text = String(input).trim()
  if (text === '') return required ? notBlank : accepted('')
  const wrong = [
    ...(text.length > max && [...text].length > max ? [`Ensure this field has no more than ${max} characters.`] : []),
    ...(text.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...surrogate(text),
    ...(format === 'cron' && !isCron(text) ? [noCron] : []),
    ...(format === 'hours' && !areSleepHours(text) ? [noHours] : []),
  ]
  return wrong.length > 0 ? rejected(...wrong) : accepted(text)
}

/** Checked with the parser of the worker, because an unreadable schedule would silently stop scheduled runs. */
export const noCron =
  'Enter a cron expression in UTC that can occur, for example "30 2 * * *". Leave blank to use the interval.'

/** Checked with the parser of the schedule, which would read other hours as none. */
const noHours =
  'Enter hours of the day in UTC that leave some awake, for example "22:00-06:00", or of days: "mon-fri 20:00-07:00, sat-sun 00:00-24:00". Leave blank for a server that never sleeps.'

/** A half of a surrogate pair is no character and cannot be stored. */
function surrogate(text: string): ReadonlyArray<string> {
  const lone = text.isWellFormed() ? undefined : /\p{Surrogate}/u.exec(text)?.[0]
  return lone === undefined
    ? []
    : [`Surrogate characters are not allowed: U+${lone.charCodeAt(0).toString(16).toUpperCase()}.`]
}

const maxInt32 = 2 ** 31 - 1
const maxInt64 = 2n ** 63n - 1n

/**
 * Whole numbers, also as text. A number that NetBox could store but a JSON number cannot hold
 * exactly is rejected with our own limit.
 */
export function checkInteger({ min, max }: { readonly min: number; readonly max: number }, input: unknown): Checked {
  const whole = wholeNumber(input)
  if (whole === null) return rejected(`A valid ${max > maxInt32 ? 'biginteger' : 'integer'} is required.`)
  if (whole < BigInt(min)) return rejected(`Ensure this value is greater than or equal to ${min}.`)
  if (whole > BigInt(max)) {
    const limit = max === Number.MAX_SAFE_INTEGER && whole > maxInt64 ? maxInt64 : max
    return rejected(`Ensure this value is less than or equal to ${limit}.`)
  }
  return accepted(Number(whole))
}

function wholeNumber(input: unknown): bigint | null {
  if (typeof input === 'number') return Number.isInteger(input) ? BigInt(input) : null
  const digits = typeof input === 'string' ? /^\s*([+-]?)(\d{1,1000})(?:\.0*)?\s*$/.exec(input) : null
  return digits === null ? null : BigInt(`${digits[2]}`) * (digits[1] === '-' ? -1n : 1n)
}

const booleanWords: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, 't', 'y', 'yes', 'true', 'on', '1'].map((word) => [word, true] as const),
  ...[false, 0, 'f', 'n', 'no', 'false', 'off', '0'].map((word) => [word, false] as const),
])

/** The words that NetBox takes for true and false in a body; a filter takes fewer. */
export function checkBoolean(input: unknown): Checked {
  const value = booleanWords.get(typeof input === 'string' ? input.trim().toLowerCase() : input)
  return value === undefined ? rejected('Must be a valid boolean.') : accepted(value)
}

/** A moment, stored in UTC. */
export function checkDatetime(input: unknown): Checked {
  const timestamp = typeof input === 'string' ? parseTimestamp(input) : null
  return timestamp === null
    ? rejected(
        'Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].',
      )
    : accepted(timestamp)
}

/** One of the choices by its bare value; null counts as blank. */
function checkChoice({ choices }: { readonly choices: ReadonlyArray<Choice> }, input: unknown): Checked {
  if (input === null || input === '') return notBlank
  if (typeof input === 'object') {
    return rejected('Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.')
  }
  return choices.some(({ value }) => value === input)
    ? accepted(String(input))
    : rejected(`${shownChoice(input)} is not a valid choice.`)
}

/** NetBox reads a text that says a boolean or a whole number as such before it looks for the choice. */
function shownChoice(input: unknown): string {
  if (typeof input !== 'string') return pythonText(input)
  if (/^(?:true|false)$/i.test(input)) return pythonText(/^t/i.test(input))
  return /^\s*[+-]?\d{1,15}\s*$/.test(input) ? String(Number(input)) : input
}

/** A value that a field takes, or why not, in NetBox's words. */
export type Checked =
  | { readonly _tag: 'value'; readonly value: FieldValue }
  | { readonly _tag: 'rejected'; readonly messages: ReadonlyArray<string> }

/** The field takes this value. */
export const accepted = (value: FieldValue): Checked => ({ _tag: 'value', value })

/** The field does not take it. */
export const rejected = (...messages: ReadonlyArray<string>): Checked => ({ _tag: 'rejected', messages })

/** Null for a field that has none. */
export const notNull = rejected('This field may not be null.')

/** Blank text for a field that needs some. */
const notBlank = rejected('This field may not be blank.')
