import type { FieldErrors } from '@netbox-pbs/core'

/** Rejects keys of a body that an action does not know, so that a typing error does not change the action. */
export function unknownKeys(input: object, known: ReadonlyArray<string>): FieldErrors {
  const names = Object.keys(input).filter((name) => !known.includes(name))
  return Object.fromEntries(names.map((name) => [name, ['There is no such field.']]))
}
