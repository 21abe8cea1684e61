import type { Field } from '@netbox-pbs/core'
import { checkBoolean } from './check-boolean.ts'
import { checkChoice } from './check-choice.ts'
import { checkDatetime } from './check-datetime.ts'
import { checkInteger } from './check-integer.ts'
import { checkText } from './check-text.ts'
import { accepted, type Checked, notNull } from './checked.ts'

/** A field that holds one value of its own: neither another row nor JSON. */
export type PlainField = Exclude<Field, { readonly type: 'reference' | 'json' }>

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
