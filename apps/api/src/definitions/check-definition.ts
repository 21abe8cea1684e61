import {
  type ChoicePair,
  type ChoiceSet,
  type CustomField,
  type DefinitionKind,
  definitionModels,
  type Field,
  type FieldErrors,
  type FieldValue,
  type FieldValues,
  type ModelName,
  modelOfType,
} from '@netbox-pbs/core'
import { checkReference } from '../validation/check-reference.ts'
import { accepted, type Checked, checkValue, notNull, rejected } from '../validation/check-value.ts'
import { pythonText, pythonType } from '../validation/python-text.ts'
import { isDictionary, noDictionary, ownValue, validateRemoval, type WriteMode } from '../validation/validate-item.ts'
import { customFieldErrors } from './custom-field-errors.ts'

/** The choice sets that exist. */
export type KnownSets = ReadonlyArray<ChoiceSet>

/** A definition of a body: the values to write, whole for a new one, and the errors of its fields. */
export interface CheckedDefinition {
  readonly values: FieldValues
  /** For the change log; empty: none. */
  readonly message: string
  readonly errors: FieldErrors
}

/** Fields of NetBox whose values other than these are refused: what they are for is not built. */
const unbuilt: Readonly<Record<DefinitionKind, Readonly<Record<string, string>>>> = {
  tag: { owner: 'Owners are not offered yet: leave owner out.' },
  custom_field: {
    owner: 'Owners are not offered yet: leave owner out.',
    related_object_type: 'Custom fields cannot refer to other objects: leave related_object_type out.',
    related_object_filter: 'Custom fields cannot refer to other objects: leave related_object_filter out.',
    validation_schema: 'JSON schemas are not offered yet: leave validation_schema out.',
  },
  choice_set: {
    owner: 'Owners are not offered yet: leave owner out.',
    base_choices: 'The lists of NetBox are not here: leave base_choices out and send extra_choices.',
  },
}

/**
 * Checks a definition of a body against the fields of its kind, then its fields together. `stored`:
 * the one to be changed. Unknown and read-only fields are ignored, as in NetBox.
 */
export function checkDefinition(
  kind: DefinitionKind,
  input: unknown,
  { stored, mode, sets }: { readonly stored: FieldValues | null; readonly mode: WriteMode; readonly sets: KnownSets },
): CheckedDefinition {
  if (!isDictionary(input)) return { values: {}, message: '', errors: noDictionary(input) }
  const values: Record<string, FieldValue> = {}
  const { message, errors: unusable } = validateRemoval(input)
  const errors: Record<string, FieldErrors[string]> = { ...unusable }
  for (const [name, sentence] of Object.entries(unbuilt[kind])) {
    const value = ownValue(input, name)
    if (value !== undefined && value !== null && value !== '') errors[name] = [sentence]
  }
  for (const [name, field] of Object.entries<Field>(definitionModels[kind].fields)) {
    const checked = checkField(kind, name, field, ownValue(input, name), mode, sets)
    if (checked === null) {
      if (stored === null && errors[name] === undefined) values[name] = defaultOf(field)
    } else if (checked._tag === 'value') values[name] = checked.value
    else errors[name] = checked.messages
  }
  if (stored !== null && values['type'] !== undefined && values['type'] !== stored['type'])
    errors['type'] = ['Changing the type of custom fields is not supported.']
  if (Object.keys(errors).length > 0) return { values: {}, message, errors }
  return { values, message, errors: togetherErrors(kind, { ...stored, ...values }, sets) }
}

function checkField(
  kind: DefinitionKind,
  name: string,
  field: Field,
  input: unknown,
  mode: WriteMode,
  sets: KnownSets,
): Checked | null {
  if (input === undefined) return field.required && mode === 'whole' ? rejected('This field is required.') : null
  switch (name) {
    case 'object_types':
      return checkObjectTypes(input)
    case 'extra_choices':
      return checkChoices(input)
    case 'choice_set':
      return checkChoiceSet(input, sets)
    case 'default':
      return accepted(input as FieldValue) // border: a value of a parsed body is plain JSON
    case 'type':
      if (input === 'object' || input === 'multiobject')
        return rejected(
          `Custom fields of the type ${input} refer to objects of NetBox, which are not here: choose another type.`,
        )
      break
  }
  if (field.type === 'json' || field.type === 'reference') return null
  const checked = checkValue(field, input)
  return checked._tag === 'value' ? checkFormat(kind, name, checked.value) : checked
}

/** NetBox's rules for single texts. */
function checkFormat(kind: DefinitionKind, name: string, value: FieldValue): Checked {
  const text = String(value)
  if (kind === 'tag' && name === 'slug' && !/^[-\p{L}\p{N}\p{M}_]+$/u.test(text))
    return rejected('Enter a valid “slug” consisting of Unicode letters, numbers, underscores, or hyphens.')
  if (kind === 'tag' && name === 'color' && !/^[0-9a-f]{6}$/.test(text))
    return text === ''
      ? rejected('This field may not be blank.')
      : rejected('Enter a valid hexadecimal RGB color code.')
  if (kind === 'custom_field' && name === 'name') {
    if (!/^[a-z0-9_]+$/i.test(text)) return rejected('Only alphanumeric characters and underscores are allowed.')
    if (text.includes('__')) return rejected('Double underscores are not permitted in custom field names.')
  }
  return accepted(value)
}

function checkObjectTypes(input: unknown): Checked {
  if (input === null) return notNull
  if (!Array.isArray(input)) return rejected(`Expected a list of items but got type "${pythonType(input)}".`)
  const models: Array<ModelName> = []
  for (const type of input) {
    const model = typeof type === 'string' ? modelOfType(type) : undefined
    if (model === undefined)
      return rejected(`Invalid content type: ${typeof type === 'string' ? type : pythonText(type)}`)
    if (!models.includes(model)) models.push(model)
  }
  return accepted(models.sort())
}

/** Choices of one set: more would make lists without bound. */
const maxChoices = 10_000

function checkChoices(input: unknown): Checked {
  if (input === null) return notNull
  if (!Array.isArray(input)) return rejected(`Expected a list of items but got type "${pythonType(input)}".`)
  if (input.length > maxChoices) return rejected(`Ensure this field has no more than ${maxChoices} elements.`)
  const pairs: Array<ChoicePair> = []
  for (const [place, pair] of input.entries()) {
    if (!Array.isArray(pair))
      return rejected(`Item ${place}: Expected a list of items but got type "${pythonType(pair)}".`)
    if (pair.length !== 2)
      return rejected(
        `Item ${place}: Ensure this field has ${pair.length < 2 ? 'at least' : 'no more than'} 2 elements.`,
      )
    const texts = pair.map((text) =>
      checkValue({ class: 'operator', type: 'text', label: '', max: 100, required: true }, text),
    )
    const wrong = texts.find((text) => text._tag === 'rejected')
    if (wrong?._tag === 'rejected') return rejected(...wrong.messages.map((message) => `Item ${place}: ${message}`))
    const [value = '', label = ''] = texts.map((text) => (text._tag === 'value' ? String(text.value) : ''))
    pairs.push([value, label])
  }
  return accepted(pairs)
}

function checkChoiceSet(input: unknown, sets: KnownSets): Checked {
  if (input === null) return accepted(null)
  return checkReference(input, {
    ids: new Set(sets.map(({ id }) => id)),
    idsByName: new Map(sets.map(({ id, name }) => [name, id])),
    idsByAttributes: new Map(),
  })
}

function defaultOf(field: Field): FieldValue {
  // The registry types a JSON default as unknown; it is plain JSON.
  return ('default' in field && field.default !== undefined ? field.default : null) as FieldValue
}

/** NetBox's rules for the fields of a definition together. */
function togetherErrors(kind: DefinitionKind, values: FieldValues, sets: KnownSets): FieldErrors {
  if (kind === 'custom_field')
    // border: every field was checked, and what was stored before was so too
    return customFieldErrors(values as unknown as CustomField, sets)
  if (kind !== 'choice_set') return {}
  const choices = values['extra_choices'] as unknown as ReadonlyArray<ChoicePair> // border: as above
  if (choices.length === 0) return { __all__: ['Must define base or extra choices.'] }
  const twice = choices.find(([value], place) => choices.findIndex(([other]) => other === value) < place)
  return twice === undefined ? {} : { __all__: [`Duplicate value '${twice[0]}' found in extra choices.`] }
}
