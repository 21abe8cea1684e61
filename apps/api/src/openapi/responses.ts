import type { RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import { branchHeader, branchParameter } from '../rest/branch-place.ts'
import { exportFormats, exportMediaType } from '../rest/export.ts'

type Responses = RouteConfig['responses']

/** A schema by its name in the document's components. */
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** A JSON body, or answer, of a named schema. */
export const json = (schema: object) => ({ 'application/json': { schema } })

/** An answer with a body. */
export const response = (description: string, schema: object) => ({ description, content: json(schema) })

/** A page of a list, or as an export the whole list. */
export const listResponse = (description: string, schema: object) => ({
  description,
  content: {
    ...json(schema),
    ...Object.fromEntries(exportFormats.map((format) => [exportMediaType(format), { schema: { type: 'string' } }])),
  },
})

/** Errors that any request may get. An operation with its own description of 400 overrides this one. */
export const errorResponses: Responses = {
  400: response('The host of the request, or the branch that it names, cannot be used', ref('Detail')),
  403: response('No token, a wrong one, or one that may not do this', ref('Detail')),
  404: response('The `format` of the request is not known', ref('Detail')),
  406: response('JSON is not accepted by the client', ref('Detail')),
  503: response('The database does not answer, or NetBox about its token', ref('Detail')),
}

/** A row that is not there. */
export const notFoundResponse: Responses = {
  404: response('There is no such object, or no such `format`', ref('Detail')),
}

/** The header by which a write asks for a version. */
export const ifMatchParameter = {
  name: 'If-Match',
  in: 'header' as const,
  schema: { type: 'string' as const },
  description: 'The object is written only if it has one of these ETags; left out or `*`: the last write wins.',
}

/** An object that was changed since the client read it. */
export const versionErrors: Responses = {
  412: response('The object has another version than `If-Match` asks for; its ETag is in the header', ref('Detail')),
}

/** How the parameters of a list may be refused. */
export const wrongFilter: Responses = {
  400: response('The errors of each parameter', { anyOf: [ref('FieldErrors'), ref('Detail')] }),
}

/** The same of a list with a cursor, whose parameters may exclude each other. */
export const wrongPage: Responses = {
  400: response('The errors of each parameter', {
    anyOf: [ref('FieldErrors'), ref('Detail'), { type: 'array', items: { type: 'string' } }],
  }),
}

/** How a body may be refused. */
export const bodyErrors: Responses = {
  400: response('The errors of each field', { anyOf: [ref('FieldErrors'), ref('Detail')] }),
  413: response('The body is too large', ref('Detail')),
  415: response('The body is not JSON', ref('Detail')),
}

/** The id in a path. */
export const idParameter = { name: 'id', in: 'path' as const, required: true, schema: { type: 'integer' as const } }

/** Parameters of every list. */
export const pageParameters = [
  { name: 'limit', in: 'query' as const, schema: { type: 'integer' as const, minimum: 0, maximum: 1000, default: 50 } },
  { name: 'offset', in: 'query' as const, schema: { type: 'integer' as const, minimum: 0, default: 0 } },
  {
    name: 'export',
    in: 'query' as const,
    schema: { type: 'string' as const, enum: [...exportFormats] },
    description: 'Answers all rows, as CSV with a line of names or as a JSON object a line, in place of a page.',
  },
]

/** The parameter that reads a list from an id on. */
export const startParameter = {
  name: 'start',
  in: 'query' as const,
  schema: { type: 'integer' as const, minimum: 0 },
  description: 'A cursor: the objects of this id and later ones, in the order of ids, without a count.',
}

/** Parameters that choose the fields of every object in an answer. */
export const presentationParameters = ['brief', 'fields', 'omit'].map((name) => ({
  name,
  in: 'query' as const,
  schema: { type: 'string' as const },
}))

/** How a request names the branch in which it is answered. */
export const branchParameters = [
  { name: branchHeader, in: 'header' as const, schema: { type: 'string' as const } },
  { name: branchParameter, in: 'query' as const, schema: { type: 'string' as const } },
].map((parameter) => ({ ...parameter, description: 'The schema_id of a branch; left out: main.' }))

const asDocument = {
  // The schema of the client's side: it may leave out a field with a default, and an answer may
  // gain fields.
  io: 'input',
  unrepresentable: 'any',
  override: ({ jsonSchema: schema }: { jsonSchema: Record<string, unknown> }) => {
    // A format says it; and every integer of JSON is safe.
    if ('format' in schema) delete schema['pattern']
    if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum']
    if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum']
    delete schema['propertyNames']
  },
} as const

/** A zod schema as the OpenAPI document has it. */
export function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, asDocument)
  return rest
}

/** Zod schemas as components of the document; those that hold another refer to it. */
export function componentSchemas(schemas: Readonly<Record<string, z.ZodType>>): Readonly<Record<string, object>> {
  const named = z.registry<{ readonly id: string }>()
  for (const [id, schema] of Object.entries(schemas)) named.add(schema, { id })
  const all = z.toJSONSchema(named, { ...asDocument, uri: (id) => ref(id).$ref })
  return Object.fromEntries(
    Object.entries(all.schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  )
}
