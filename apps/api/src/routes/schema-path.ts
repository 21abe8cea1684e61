import { Effect } from 'effect'
import { openApiDocument } from '../openapi/document.ts'
import { ref, response } from '../openapi/responses.ts'
import type { Path } from '../rest/route.ts'
import { route } from '../rest/route.ts'

/** The OpenAPI document of some paths and of itself, open to everybody, as clients expect. */
export function schemaPath(others: ReadonlyArray<Path>): Path {
  const config = {
    method: 'get' as const,
    path: '/api/schema/',
    operationId: 'schema_retrieve',
    tags: ['schema'],
    security: [],
    responses: {
      200: response('This document', { type: 'object' }),
      400: response('The host of the request is not known', ref('Detail')),
    },
  }
  const path: Path = { open: true, routes: [route(config, (c) => Effect.sync(() => c.json(document)))] }
  const document = openApiDocument([...others, path])
  return path
}
