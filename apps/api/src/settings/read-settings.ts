import type { FieldErrors } from '@netbox-pbs/core'
import { Settings } from '@netbox-pbs/core/settings'
import { isCron } from '@netbox-pbs/sync'
import { z } from 'zod'
import { noCron } from '../validation/check-value.ts'
import { pythonText } from '../validation/python-text.ts'
import { unknownKeys } from '../validation/unbuilt-fields.ts'

const schedule = Settings.shape.sync_schedule.refine((text) => text === '' || isCron(text), noCron)

/** The key is sent as a header, which may have printable ASCII only. */
const apiKey = z
  .string()
  .max(2000)
  .regex(/^[\x21-\x7e]*$/, 'This field may hold printable ASCII characters without white space only.')

/** The body of a write; the key is never shown again. */
export const SettingsChange = z
  .object({ ...Settings.shape, sync_schedule: schedule, proxbox_api_key: apiKey })
  .partial()

/** Fields of the answer that a client may send back and that change nothing. */
const readOnly = [
  'id',
  'url',
  'display_url',
  'display',
  'proxbox_api_key_configured',
  'created',
  'last_updated',
] as const

/**
 * A change of the settings, or the errors of each field of the body, in NetBox's words. An unknown
 * field is an error, because it would change nothing.
 */
export function readSettings(
  body: object,
): { readonly change: z.infer<typeof SettingsChange> } | { readonly errors: FieldErrors } {
  const unknown = unknownKeys(body, [...Object.keys(SettingsChange.shape), ...readOnly])
  const { data, error } = SettingsChange.safeParse(body)
  const errors = { ...unknown, ...(error === undefined ? {} : fieldErrors(body, error)) }
  return data === undefined || Object.keys(errors).length > 0 ? { errors } : { change: data }
}

/** The `OPTIONS` description of each field that a write takes. */
export function describeSettings(): Readonly<Record<string, object>> {
  const { properties = {} } = z.toJSONSchema(SettingsChange)
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      if (typeof schema === 'boolean') return [name, { type: 'field' }]
      const about = { required: false, read_only: false, label: settingLabel(name) }
      if (schema.enum !== undefined) {
        const choices = schema.enum.map((value) => ({ value, display_name: settingLabel(String(value)) }))
        return [name, { type: 'field', ...about, choices }]
      }
      const type = schema.type === 'number' ? 'float' : (schema.type ?? 'field')
      const limits = { max_length: schema.maxLength, min_value: schema.minimum, max_value: schema.maximum }
      const known = Object.entries(limits).filter(([, limit]) => limit !== undefined)
      return [name, { type, ...about, ...Object.fromEntries(known) }]
    }),
  )
}

/** A setting in words: `Proxbox API URL`. */
export const settingLabel = (name: string): string => {
  const words = name
    .replaceAll('_', ' ')
    .replace(/\bapi\b/, 'API')
    .replace(/\burl\b/, 'URL')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function fieldErrors(body: object, error: z.ZodError): FieldErrors {
  const given = new Map<string, unknown>(Object.entries(body))
  const errors = new Map<string, ReadonlyArray<string>>()
  for (const issue of error.issues) {
    const field = String(issue.path[0] ?? '__all__')
    errors.set(field, [...(errors.get(field) ?? []), sentence(issue, given.get(field))])
  }
  return Object.fromEntries(errors)
}

/** A zod issue, in NetBox's words. */
function sentence(issue: z.core.$ZodIssue, input: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (input === null) return 'This field may not be null.'
      if (issue.expected === 'string') return 'Not a valid string.'
      if (issue.expected === 'boolean') return 'Must be a valid boolean.'
      return issue.expected === 'int' ? 'A valid integer is required.' : 'A valid number is required.'
    case 'invalid_value':
      return `${typeof input === 'string' ? input : pythonText(input)} is not a valid choice.`
    case 'too_big':
      if (issue.message.startsWith('Ensure')) return issue.message
      return issue.origin === 'string'
        ? `Ensure this field has no more than ${issue.maximum} characters.`
        : `Ensure this value is less than or equal to ${issue.maximum}.`
    case 'too_small':
      return issue.origin === 'string'
        ? 'This field may not be blank.'
        : `Ensure this value is greater than or equal to ${issue.minimum}.`
    default:
      return issue.message
  }
}
