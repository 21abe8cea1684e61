import { type Field, type FieldErrors, type ModelName, registry } from '@netbox-pbs/core'
import type { EditValues } from '@netbox-pbs/core/ports'
import { checkMessage } from './changelog-message.ts'
import { checkReference, type FoundServers, type NamedServers, referencedByInput } from './check-reference.ts'
import { type Checked, checkValue, rejected } from './check-value.ts'
import { pythonType } from './python-text.ts'

/** Whether a row is made or replaced, so that its required fields must be there, or only changed. */
export type WriteMode = 'whole' | 'partial'

/** A checked row of a body: the columns it may write, its message for the change log, and the errors of the others. */
export interface ValidatedItem {
  readonly values: EditValues
  /** Empty: none. */
  readonly message: string
  readonly errors: FieldErrors
}

/**
 * Checks one row of a body against the registry. Unknown and read-only fields are ignored, as in
 * NetBox, and references must have been looked up (see `referencedByItem`).
 */
export function validateItem(model: ModelName, input: unknown, known: FoundServers, mode: WriteMode): ValidatedItem {
  if (!isDictionary(input)) return { values: {}, message: '', errors: noDictionary(input) }
  const values: Record<string, EditValues[string]> = {}
  const errors: Record<string, ReadonlyArray<string>> = {}
  for (const [name, field] of writableFields(model)) {
    const checked = checkField(field, ownValue(input, name), known, mode)
    if (checked === null) continue
    if (checked._tag === 'value') values[name] = checked.value
    else errors[name] = checked.messages
  }
  const { message, errors: unusable } = readMessage(input)
  return { values, message, errors: { ...errors, ...unusable } }
}

/** The message for the change log of an object that is to be deleted, with the errors of the object. */
export function validateRemoval(input: unknown): Omit<ValidatedItem, 'values'> {
  if (!isDictionary(input)) return { message: '', errors: noDictionary(input) }
  return readMessage(input)
}

/** The message of an object for the change log, or why it has none. */
export function readMessage(input: object): Omit<ValidatedItem, 'values'> {
  const name = 'changelog_message'
  const checked = checkMessage(ownValue(input, name))
  return checked._tag === 'value'
    ? { message: String(checked.value), errors: {} }
    : { message: '', errors: { [name]: checked.messages } }
}

/** Whether an object has any. */
export const hasErrors = (errors: FieldErrors): boolean => Object.keys(errors).length > 0

/** The error of something else in the place of an object. */
export const noDictionary = (input: unknown): FieldErrors => ({
  __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(input)}.`],
})

/** The rows to look up before a row of a body can be checked. */
export function referencedByItem(model: ModelName, input: unknown): NamedServers {
  const references = writableFields(model)
    .filter(([, field]) => field.type === 'reference')
    .map(([name]) => referencedByInput(isDictionary(input) ? ownValue(input, name) : undefined))
  return {
    names: references.flatMap(({ names }) => names),
    ids: references.flatMap(({ ids }) => ids),
    attributes: references.flatMap(({ attributes }) => attributes),
  }
}

/** The columns that a body may write. */
export function writableFields(model: ModelName): ReadonlyArray<readonly [string, Field]> {
  return Object.entries<Field>(registry[model].fields).filter(([, field]) => !field.readOnly && !field.internal)
}

function checkField(field: Field, input: unknown, known: FoundServers, mode: WriteMode): Checked | null {
  if (input === undefined) return field.required && mode === 'whole' ? rejected('This field is required.') : null
  if (field.type === 'reference') return checkReference(input, known)
  return field.type === 'json' ? null : checkValue(field, input)
}

/** A field of a body, never something that every object has. */
export function ownValue(input: object, name: string): unknown {
  return Object.hasOwn(input, name) ? Reflect.get(input, name) : undefined
}

/** Whether JSON is an object. */
export const isDictionary = (input: unknown): input is object =>
  typeof input === 'object' && input !== null && !Array.isArray(input)
