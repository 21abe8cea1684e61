import { type Document, jsonSchemaOf, nameOf, type Operation, type Schema } from './document.ts'

type Schemas = Document['components']['schemas']

/** How deep an example goes: schemas may refer to themselves. */
const deepest = 6

const texts: Readonly<Record<string, string>> = {
  'date-time': '2026-05-01T02:00:00Z',
  date: '2026-05-01',
  uri: 'https://example.com/',
  uuid: '5c0f2f7e-0000-4000-8000-000000000001',
  email: 'ada@example.com',
}

/** A value of a schema. Of an object that is sent only what has to be there, so that it can be filled in. */
export function exampleOf(
  schema: Schema,
  schemas: Schemas,
  { sent = false, depth = 0 }: { readonly sent?: boolean; readonly depth?: number } = {},
): unknown {
  if (depth > deepest) return null
  const name = nameOf(schema)
  const within = { sent, depth: depth + 1 }
  if (name !== null) return exampleOf(schemas[name] ?? {}, schemas, within)
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum[0] ?? null
  const [choice] = schema.anyOf ?? schema.oneOf ?? []
  if (choice !== undefined) return exampleOf(choice, schemas, within)
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  switch (type) {
    case 'object':
      return objectOf(schema, schemas, within)
    case 'array':
      // Of an array of nothing there is no element.
      return schema.items === undefined || schema.items.not !== undefined
        ? []
        : [exampleOf(schema.items, schemas, within)]
    case 'integer':
    case 'number':
      return schema.minimum ?? (schema.exclusiveMinimum === undefined ? 1 : schema.exclusiveMinimum + 1)
    case 'boolean':
      return true
    case 'string':
      return texts[schema.format ?? ''] ?? 'text'
    default:
      return null
  }
}

function objectOf(schema: Schema, schemas: Schemas, within: { readonly sent: boolean; readonly depth: number }) {
  const { properties = {}, required = [] } = schema
  const names = Object.keys(properties).filter((name) => !within.sent || required.includes(name))
  const chosen = names.length > 0 ? names : writable(properties).slice(0, 1)
  return Object.fromEntries(chosen.map((name) => [name, exampleOf(properties[name] ?? {}, schemas, within)]))
}

const writable = (properties: Readonly<Record<string, Schema>>): ReadonlyArray<string> =>
  Object.entries(properties).flatMap(([name, { readOnly = false }]) => (readOnly ? [] : [name]))

/** A command that sends an operation to an address. */
export function curlOf({ method, path, security, requestBody }: Operation, schemas: Schemas, base: string): string {
  const address = `${base}${path.replaceAll(/\{\w+\}/g, '1')}`
  const body = jsonSchemaOf(requestBody?.content)
  const parts = [
    `curl -sS${method === 'GET' ? '' : ` -X ${method}`} '${address}'`,
    ...(security?.length === 0 ? [] : [`-H "Authorization: Bearer $TOKEN"`]),
    ...(body === null
      ? []
      : [
          `-H 'Content-Type: application/json'`,
          // A quote in a quoted word of the shell.
          `-d '${JSON.stringify(exampleOf(body, schemas, { sent: true })).replaceAll("'", String.raw`'\''`)}'`,
        ]),
  ]
  return parts.join(' \\\n  ')
}
