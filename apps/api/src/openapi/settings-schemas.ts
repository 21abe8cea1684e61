import { Settings } from '@netbox-pbs/core'
import { z } from 'zod'
import { SettingsChange } from '../settings/read-settings.ts'
import { jsonSchema } from './json-schema.ts'

/** Schemas of the settings for the document. */
export const settingsSchemas: Readonly<Record<string, object>> = {
  SettingsRequest: jsonSchema(SettingsChange),
  Settings: jsonSchema(
    Settings.extend({
      id: z.literal(1),
      url: z.url(),
      display_url: z.url(),
      display: z.string(),
      proxbox_api_key_configured: z.boolean(),
      created: z.iso.datetime(),
      last_updated: z.iso.datetime(),
    }),
  ),
}
