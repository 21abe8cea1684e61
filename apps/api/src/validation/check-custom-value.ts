import { type FieldValue, type ModelField, parseTimestamp } from '@netbox-pbs/core'
import { RE2JS } from 're2js'
import { accepted, type Checked, rejected } from './check-value.ts'
import { pythonText } from './python-text.ts'

/** The parts of a custom field that decide which values it takes. */
export type ValueRules = Pick<
  ModelField,
  'type' | 'required' | 'validation_minimum' | 'validation_maximum' | 'validation_regex' | 'choices' | 'choiceSetName'
>

/** Characters of one text, and of JSON as text: a row with values must stay a row. */
const maxText = 65_536

/**
 * A value as a custom field stores it, or why not, in NetBox's words. Null and blank text are no
 * value. A selection may come as it is read, `{value, label}`.
 */
export function checkCustomValue(field: ValueRules, input: unknown): Checked {
  const value = selected(field, input)
  if (value === undefined || value === null || value === '') {
    return field.required ? rejected('Required field cannot be empty.') : accepted(value === '' ? '' : null)
  }
  switch (field.type) {
    case 'text':
    case 'longtext':
    case 'url':
      return checkText(field, value)
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value)
        ? withinLimits(field, value)
        : rejected('Value must be an integer.')
    case 'decimal':
      return checkDecimal(field, value)
    case 'boolean':
      return value === true || value === false || value === 1 || value === 0
        ? accepted(Boolean(value))
        : rejected('Value must be true or false.')
    case 'date':
      return checkDate(value)
    case 'datetime':
      return checkDatetime(value)
    case 'json':
      return checkJson(value)
    case 'select':
      return isChoice(field, value)
        ? accepted(value)
        : rejected(`Invalid choice (${asText(value)}) for choice set ${field.choiceSetName}.`)
    case 'multiselect':
      return checkSelections(field, value)
  }
}

/** The bare value of a selection that a client sends back as it has read it. */
function selected({ type }: ValueRules, input: unknown): unknown {
  if (type === 'select') return bare(input)
  return type === 'multiselect' && Array.isArray(input) ? input.map(bare) : input
}

function bare(input: unknown): unknown {
  const isRead =
    typeof input === 'object' &&
    input !== null &&
    'value' in input &&
    'label' in input &&
    Object.keys(input).length === 2
  return isRead ? input.value : input
}

function checkText({ validation_regex: regex }: ValueRules, value: unknown): Checked {
  if (typeof value !== 'string') return rejected('Value must be a string.')
  const wrong = unstorable(value)
  if (wrong !== null) return rejected(wrong)
  return regex === '' || matchesAtStart(regex, value) ? accepted(value) : rejected(`Value must match regex '${regex}'`)
}

function unstorable(text: string): string | null {
  if (text.length > maxText) return `Ensure this field has no more than ${maxText} characters.`
  if (text.includes('\0')) return 'Null characters are not allowed.'
  return text.isWellFormed() ? null : 'Surrogate characters are not allowed.'
}

function withinLimits({ validation_minimum: least, validation_maximum: most }: ValueRules, value: number): Checked {
  if (least !== null && value < least) return rejected(`Value must be at least ${least}`)
  if (most !== null && value > most) return rejected(`Value must not exceed ${most}`)
  return accepted(value)
}

function checkDecimal(field: ValueRules, value: unknown): Checked {
  const number =
    typeof value === 'string' && /^\s*[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})\s*$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number)
    ? withinLimits(field, number)
    : rejected('Value must be a decimal.')
}

function checkDate(value: unknown): Checked {
  const [, year, month, day] = (typeof value === 'string' && /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(value)) || []
  const date = `${year}-${month}-${day}`
  return year !== undefined && parseTimestamp(`${date}T00:00:00Z`) !== null
    ? accepted(date)
    : rejected('Date values must be in ISO 8601 format (YYYY-MM-DD).')
}

function checkDatetime(value: unknown): Checked {
  const timestamp = typeof value === 'string' ? parseTimestamp(value) : null
  return timestamp === null
    ? rejected('Date and time values must be in ISO 8601 format (YYYY-MM-DD HH:MM:SS).')
    : accepted(timestamp)
}

function checkJson(value: unknown): Checked {
  const wrong = unstorable(JSON.stringify(value))
  // JSON of a body is plain JSON; texts inside it that the database cannot store are replaced there.
  return wrong === null ? accepted(value as FieldValue) : rejected(wrong)
}

const isChoice = ({ choices }: ValueRules, value: unknown): value is string => choices.some(([one]) => one === value)

function checkSelections(field: ValueRules, value: unknown): Checked {
  const values: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  return Array.isArray(value) && values.every((one): one is string => isChoice(field, one))
    ? accepted([...new Set(values)] as ReadonlyArray<string>)
    : rejected(`Invalid choice(s) (${asText(value)}) for choice set ${field.choiceSetName}.`)
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : pythonText(value))

/** Why a regular expression cannot be used; null: it can. */
export function wrongRegex(regex: string): string | null {
  try {
    RE2JS.compile(regex)
    return null
  } catch {
    return `"${regex}" is not a valid regular expression.`
  }
}

/**
 * Whether a text matches from its beginning, as in Python. The engine takes time in proportion to
 * the text, whatever the expression.
 */
function matchesAtStart(regex: string, text: string): boolean {
  try {
    return RE2JS.compile(regex).matcher(text).lookingAt()
  } catch {
    // One that an earlier release stored.
    return false
  }
}
