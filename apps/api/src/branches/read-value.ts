import { everyModelFields, type Field, type FieldValue, type ModelName, registry } from '@netbox-pbs/core'
import { checkValue } from '../validation/check-value.ts'
import { accepted, type Checked, rejected } from '../validation/checked.ts'

/** A field of a model, of those too that every model has; undefined: there is none of that name. */
export function branchedField(model: ModelName, name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = { ...registry[model].fields, ...everyModelFields }
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** The value that somebody gives as the answer to a conflict about a field, judged as a write is, whether or not people may write the field. */
export function readValue(field: Field, input: FieldValue): Checked {
  switch (field.type) {
    case 'reference':
      return rejected('Another row is no answer: take the value of main or of the branch.')
    case 'json':
      return isShapeOf(field.default, input)
        ? accepted(input)
        : rejected(Array.isArray(field.default) ? 'Expected a list.' : 'Expected a dictionary.')
    default:
      return checkValue(field, input)
  }
}

/** A list stays a list, and an object an object. */
const isShapeOf = (sample: unknown, input: FieldValue): boolean =>
  typeof input === 'object' && input !== null && Array.isArray(input) === Array.isArray(sample)
