import type { FieldValue, JsonValue, ModelField, ModelName, Tag } from '@netbox-pbs/core'
import { checkCustomValue } from './check-custom-value.ts'
import { checkTags, type TagErrors } from './check-tags.ts'
import { isDictionary, ownValue } from './validate-item.ts'

/** The definitions that a body is checked against: the custom fields of its model, and the tags that it names. */
export interface KnownDefinitions {
  readonly fields: ReadonlyArray<ModelField>
  readonly tags: ReadonlyArray<Tag>
}

/** What a row has of custom fields, by their keys; null: it is a new row. */
export type StoredCustomFields = { readonly [key: string]: JsonValue } | null

/** The tags and custom fields of a body as a write has them. */
interface CheckedAttached {
  readonly values: Readonly<Record<string, FieldValue>>
  /** Under `tags`, `add_tags`, `remove_tags` and `custom_fields`; of the last by name. */
  readonly errors: Readonly<Record<string, TagErrors | Readonly<Record<string, string>>>>
  /** What is wrong with the row as a whole, which NetBox says only when nothing else is. */
  readonly together: ReadonlyArray<string>
}

/**
 * Checks tags and custom fields in a body, for a new row or one that has values. Custom fields that
 * are left out get their defaults in a new row, and stay in another.
 */
export function checkAttached(
  model: ModelName,
  input: object,
  { fields, tags, stored }: KnownDefinitions & { readonly stored: StoredCustomFields },
): CheckedAttached {
  const checkedTags = checkTags(model, input, tags, stored === null)
  const given = ownValue(input, 'custom_fields')
  if (given === null) return withErrors(checkedTags, { custom_fields: ['This field may not be null.'] })
  if (given !== undefined && !isDictionary(given)) return withErrors(checkedTags, { custom_fields: [noDictionary] })
  const sent = new Map<string, unknown>(Object.entries(given ?? {}))
  const unknown = [...sent.keys()].filter((name) => !fields.some((field) => field.name === name)).sort()
  if (unknown.length > 0)
    return withErrors(checkedTags, {
      custom_fields: Object.fromEntries(unknown.map((name) => [name, noSuchField(name)])),
    })
  const checked = fields.map((field) => [field, checkField(field, sent, stored)] as const)
  const together = checked.flatMap(([, { wrong }]) => wrong ?? [])
  const written = checked.flatMap(
    ([{ key }, { value }]): ReadonlyArray<[string, FieldValue]> => (value === undefined ? [] : [[key, value]]),
  )
  const name = stored === null ? 'custom_fields' : 'set_custom_fields'
  return {
    values: { ...checkedTags.values, ...(written.length > 0 ? { [name]: Object.fromEntries(written) } : {}) },
    errors: checkedTags.errors,
    // NetBox stops at the first.
    together: [...checkedTags.together, ...together.slice(0, 1)],
  }
}

const noDictionary =
  'Invalid data format. Custom field data must be passed as a dictionary mapping field names to their values.'

/** NetBox's sentence about a name that no custom field of the model has. */
export const noSuchField = (name: string): string => `Custom field '${name}' does not exist for this object type.`

const withErrors = (
  { values, errors, together }: CheckedAttached,
  more: CheckedAttached['errors'],
): CheckedAttached => ({ values, errors: { ...errors, ...more }, together })

/** The value to write of a field, undefined: none; and why the row cannot be so. */
function checkField(
  field: ModelField,
  sent: ReadonlyMap<string, unknown>,
  stored: StoredCustomFields,
): { readonly value?: FieldValue; readonly wrong?: string } {
  const isNew = stored === null
  if (!sent.has(field.name) && !isNew) {
    const value = stored[field.key] ?? null
    return field.required && (value === null || value === '') ? { wrong: missing(field) } : {}
  }
  const input = sent.has(field.name) ? sent.get(field.name) : field.default
  if (!sent.has(field.name) && input === null) return field.required ? { wrong: missing(field) } : {}
  const checked = checkCustomValue(field, input)
  return checked._tag === 'value'
    ? { value: checked.value }
    : { wrong: `Invalid value for custom field '${field.name}': ${checked.messages.join(' ')}` }
}

const missing = ({ name }: ModelField): string => `Missing required custom field '${name}'.`
