import type { FieldErrors } from '@netbox-pbs/core'
import { Settings } from '@netbox-pbs/core/settings'
import { isCron } from '@netbox-pbs/sync'
import { z } from 'zod'
import { noCron } from '../validation/check-value.ts'
import { describeFields } from '../validation/describe-fields.ts'
import { unknownKeys } from '../validation/unknown-keys.ts'
import { fieldErrors } from '../validation/zod-errors.ts'

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
export const describeSettings = (): Readonly<Record<string, object>> => describeFields(SettingsChange)
