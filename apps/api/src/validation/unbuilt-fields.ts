import type { FieldErrors } from '@netbox-pbs/core'

/**
 * Fields that NetBox accepts for every object and this project does not keep yet, with their names
 * in a sentence.
 */
const unbuilt: Readonly<Record<string, string>> = {
  tags: 'Tags are',
  add_tags: 'Tags are',
  remove_tags: 'Tags are',
  custom_fields: 'Custom fields are',
}

/**
 * Rejects fields of a body that would be dropped. Empty values pass, so that a client may send back
 * an object it has read.
 */
export function unbuiltFields(input: object): FieldErrors {
  const given = new Map<string, unknown>(Object.entries(input))
  return Object.fromEntries(
    Object.entries(unbuilt).flatMap(([name, what]) =>
      isNothing(given.get(name)) ? [] : [[name, [`${what} not offered yet: leave ${name} out.`]]],
    ),
  )
}

/** Rejects keys of a body that an action does not know, so that a typing error does not change the action. */
export function unknownKeys(input: object, known: ReadonlyArray<string>): FieldErrors {
  const names = Object.keys(input).filter((name) => !known.includes(name))
  return Object.fromEntries(names.map((name) => [name, ['There is no such field.']]))
}

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
