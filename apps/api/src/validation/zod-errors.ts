import type { FieldErrors } from '@netbox-pbs/core'
import type { z } from 'zod'
import { pythonText, pythonType } from './python-text.ts'

/** The issues of a zod schema by the field of the body, in NetBox's words. */
export function fieldErrors(body: object, error: z.ZodError): FieldErrors {
  const errors = new Map<string, ReadonlyArray<string>>()
  for (const issue of error.issues) {
    const field = String(issue.path[0] ?? '__all__')
    errors.set(field, [...(errors.get(field) ?? []), sentence(issue, valueAt(body, issue.path))])
  }
  return Object.fromEntries(errors)
}

/** The value of a body at a path; undefined: there is none. */
const valueAt = (body: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
    body,
  )

/** A zod issue, in NetBox's words. */
function sentence(issue: z.core.$ZodIssue, input: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (input === undefined) return 'This field is required.'
      if (input === null) return 'This field may not be null.'
      if (!issue.message.startsWith('Invalid ')) return issue.message
      if (issue.expected === 'string') return 'Not a valid string.'
      if (issue.expected === 'boolean') return 'Must be a valid boolean.'
      if (issue.expected === 'array') return `Expected a list of items but got type "${pythonType(input)}".`
      return issue.expected === 'int' ? 'A valid integer is required.' : 'A valid number is required.'
    case 'invalid_value':
      if (!issue.message.startsWith('Invalid ')) return issue.message
      return `${typeof input === 'string' ? input : pythonText(input)} is not a valid choice.`
    case 'too_big':
      if (issue.message.startsWith('Ensure')) return issue.message
      if (issue.origin === 'array') return `Ensure this field has no more than ${issue.maximum} elements.`
      return issue.origin === 'string'
        ? `Ensure this field has no more than ${issue.maximum} characters.`
        : `Ensure this value is less than or equal to ${issue.maximum}.`
    case 'too_small':
      if (issue.origin === 'array') return 'This list may not be empty.'
      return issue.origin === 'string'
        ? 'This field may not be blank.'
        : `Ensure this value is greater than or equal to ${issue.minimum}.`
    default:
      return issue.message
  }
}
