import type { ChoiceSet, CustomField, customFieldTypes, FieldErrors } from '@netbox-pbs/core'
import { checkCustomValue, wrongRegex } from '../validation/check-custom-value.ts'
import { pythonText } from '../validation/python-text.ts'

/** The errors of a custom field as a whole, in NetBox's words and order: the first one counts. */
export function customFieldErrors(field: CustomField, sets: ReadonlyArray<ChoiceSet>): FieldErrors {
  const { type } = field
  if (field.validation_regex !== '') {
    const wrong = wrongRegex(field.validation_regex)
    if (wrong !== null) return { validation_regex: [wrong] }
  }
  const numeric = type === 'integer' || type === 'decimal'
  const textual = type === 'text' || type === 'longtext' || type === 'url'
  const selection = type === 'select' || type === 'multiselect'
  if (!numeric && field.validation_minimum !== null && field.validation_minimum !== 0)
    return { validation_minimum: ['A minimum value may be set only for numeric fields'] }
  if (!numeric && field.validation_maximum !== null && field.validation_maximum !== 0)
    return { validation_maximum: ['A maximum value may be set only for numeric fields'] }
  if (!textual && field.validation_regex !== '')
    return { validation_regex: ['Regular expression validation is supported only for text and URL fields'] }
  if (field.unique && type === 'boolean') return { unique: ['Uniqueness cannot be enforced for boolean fields'] }
  if (selection && field.choice_set === null) return { choice_set: ['Selection fields must specify a set of choices.'] }
  if (!selection && field.choice_set !== null) return { choice_set: ['Choices may be set only on selection fields.'] }
  return defaultErrors(field, sets)
}

function defaultErrors(field: CustomField, sets: ReadonlyArray<ChoiceSet>): FieldErrors {
  if (field.default === null) return {}
  const set = sets.find(({ id }) => id === field.choice_set)
  const rules = { ...field, required: false, choices: set?.extra_choices ?? [], choiceSetName: set?.name ?? null }
  const checked = checkCustomValue(rules, field.default)
  const shown = typeof field.default === 'string' ? field.default : pythonText(field.default)
  return checked._tag === 'value'
    ? {}
    : { default: [`Invalid default value "${shown}": ${checked.messages.join(' ')}`] }
}

/** The kind of JSON that a field's values have, as NetBox names it. */
export function dataTypeOf(type: keyof typeof customFieldTypes): string {
  switch (type) {
    case 'integer':
    case 'decimal':
    case 'boolean':
      return type
    case 'json':
      return 'object'
    case 'multiselect':
      return 'array'
    default:
      return 'string'
  }
}
