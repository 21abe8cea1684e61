import { OpenAPIHono } from '@hono/zod-openapi'
import { modelNames, Settings } from '@netbox-pbs/core'
import { z } from 'zod'
import type { Path } from '../rest/route.ts'
import { SettingsChange } from '../settings/read-settings.ts'
import { version } from '../version.ts'
import { modelSchemas } from './model-schemas.ts'
import { jsonSchema } from './responses.ts'
import { sharedSchemas } from './shared-schemas.ts'

/** The OpenAPI document of some paths; what the models hold comes from the registry. */
export function openApiDocument(paths: ReadonlyArray<Path>): object {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono()
  for (const { config } of paths.flatMap(({ routes }) => routes)) openAPIRegistry.registerPath(config)
  const schemas = { ...sharedSchemas, ...settingsSchemas, ...Object.assign({}, ...modelNames.map(modelSchemas)) }
  for (const [name, schema] of Object.entries<object>(schemas))
    openAPIRegistry.registerComponent('schemas', name, schema)
  openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`Bearer nbt_<key>.<secret>`',
  })
  return getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'netbox-pbs', version, license: { name: 'Apache-2.0' } },
    security: [{ token: [] }],
  })
}

/** Schemas of the settings for the document. */
const settingsSchemas: Readonly<Record<string, object>> = {
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
