import { OpenAPIHono } from '@hono/zod-openapi'
import { modelNames } from '@netbox-pbs/core'
import type { Path } from '../rest/route.ts'
import { version } from '../version.ts'
import { modelSchemas } from './model-schemas.ts'
import { recordSchemas } from './record-schemas.ts'

/** The OpenAPI document of some paths; what the models hold comes from the registry. */
export function openApiDocument(paths: ReadonlyArray<Path>): object {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono()
  for (const { config } of paths.flatMap(({ routes }) => routes)) openAPIRegistry.registerPath(config)
  const schemas = { ...recordSchemas, ...Object.assign({}, ...modelNames.map(modelSchemas)) }
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
