import { FastCheck as fc } from 'effect'

/** A request that a test sends. */
export interface FuzzedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The text of the body; null: none. */
  readonly body: string | null
  /** The OpenAPI document describes the path and the parameters, so it must describe the answer. */
  readonly documented: boolean
}

interface Schema {
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly oneOf?: ReadonlyArray<Schema>
  readonly anyOf?: ReadonlyArray<Schema>
  readonly allOf?: ReadonlyArray<Schema>
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly format?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly schema?: Schema
}
interface Operation {
  readonly parameters?: ReadonlyArray<Parameter>
  readonly requestBody?: { readonly content: { readonly [mediaType: string]: { readonly schema?: Schema } } }
}

/** An OpenAPI document, as far as requests are made from it. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** Text that has broken programs like this one. */
const hostileText: ReadonlyArray<string> = [
  '',
  ' ',
  'null',
  '\0',
  '\ud800',
  '__proto__',
  'constructor',
  '%',
  '_',
  '\\',
  "'; drop table servers; --",
  '<script>alert(1)</script>',
  '{{7*7}}',
  '../../etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  '(a+)+$',
  '[',
  '1e400',
  '-0',
  '9223372036854775808',
  '9007199254740993',
  '0x10',
  'NaN',
  '2026-02-30T25:61:61Z',
  '9999-12-31T23:59:59.999999999+14:00',
  'ﷺ'.repeat(40),
  '\u202e\u0000abc',
  'b'.repeat(5000),
]

const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileText) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
)

const anyNumber = fc.oneof(
  fc.constantFrom(0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 2 ** 63),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, [], {}, [[]], [{}], { id: 1 }, [{ id: 1 }, { id: 1 }], [null], { name: 'pbs-a' }),
  anyNumber,
  anyText,
  fc.jsonValue({ maxDepth: 4 }),
)

/** Values of a schema, most of which fit it. */
function roughly(document: Document, schema: Schema | undefined, depth = 0): fc.Arbitrary<unknown> {
  if (schema === undefined || depth > 6) return anyJson
  return fc.oneof({ weight: 6, arbitrary: fitting(document, schema, depth) }, { weight: 1, arbitrary: anyJson })
}

function fitting(document: Document, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { $ref, oneOf, anyOf, allOf, type, properties, items } = schema
  if ($ref !== undefined) return roughly(document, document.components.schemas[$ref.split('/').at(-1) ?? ''], depth + 1)
  const alternatives = oneOf ?? anyOf
  if (alternatives !== undefined && alternatives.length > 0)
    return fc.oneof(...alternatives.map((one) => roughly(document, one, depth + 1)))
  if (allOf !== undefined)
    return fc
      .tuple(...allOf.map((one) => fitting(document, one, depth + 1)))
      .map((parts) => Object.assign({}, ...parts.filter((part) => typeof part === 'object')))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined && schema.enum.length > 0) return fc.constantFrom(...schema.enum)
  if (properties !== undefined) {
    const fields = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, roughly(document, field, depth + 1)]),
    )
    const odd = fc.dictionary(
      fc.constantFrom('__proto__', 'constructor', 'id', 'url', 'extra', 'changelog_message'),
      anyJson,
      {
        maxKeys: 2,
      },
    )
    return fc
      .tuple(fc.record(fields, { requiredKeys: [] }), fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, odd))
      .map(([fits, more]) => ({ ...fits, ...more }))
  }
  if (items !== undefined) return fc.array(roughly(document, items, depth + 1), { maxLength: 4 })
  const types = type === undefined ? [] : typeof type === 'string' ? [type] : type
  return types.length === 0 ? anyJson : fc.oneof(...types.map((one) => ofType(one, schema)))
}

function ofType(type: string, { format, minimum, maximum, maxLength = 60 }: Schema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      if (format === 'date-time')
        return fc
          .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
          .map((at) => at.toISOString())
      if (format === 'uri') return fc.webUrl()
      return fc.oneof(
        fc.constantFrom('pbs-a', 'tank', 'vm', '100', 'site-a', 'ok', 'a@pbs!b'),
        fc.string({ maxLength: Math.min(maxLength, 60) }),
      )
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: Math.max(minimum ?? -1000, -(2 ** 31)), max: Math.min(maximum ?? 1000, 2 ** 31 - 1) }),
      )
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(anyJson, { maxLength: 3 })
    default:
      return fc.dictionary(fc.string({ maxLength: 8 }), anyJson, { maxKeys: 3 })
  }
}

const ids = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 6 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('0', '999999', '9223372036854775807', '9223372036854775808') },
)
const oddIds = fc.constantFrom('-1', 'x', '%00', '1.5', '%ed%a0%80', '1%2f2', '__proto__', '1;', '1 ')

const lookups = [
  'n',
  'ic',
  'nic',
  'ie',
  'nie',
  'isw',
  'niew',
  'empty',
  'regex',
  'iregex',
  'lt',
  'lte',
  'gt',
  'gte',
  'any',
  'in',
]
const usualParameters = [
  'limit',
  'offset',
  'start',
  'ordering',
  'q',
  'brief',
  'fields',
  'omit',
  'format',
  'export',
  'tag',
  'cf_x',
  'id',
]

/** The parameters of a request: those that the document has, those of every list, and lookups of them. */
function queryOf(document: Document, parameters: ReadonlyArray<Parameter>): fc.Arbitrary<string> {
  const known = parameters.filter((parameter) => parameter.in === 'query')
  const name = fc.oneof(
    ...(known.length === 0 ? [] : [{ weight: 4, arbitrary: fc.constantFrom(...known.map((one) => one.name)) }]),
    { weight: 1, arbitrary: fc.constantFrom(...usualParameters) },
    { weight: 1, arbitrary: anyText.map((text) => text.slice(0, 100)) },
  )
  const named = fc.tuple(name, fc.option(fc.constantFrom(...lookups), { freq: 3 })).chain(([base, lookup]) => {
    const schema = known.find((one) => one.name === base)?.schema
    const value = fc.oneof(
      anyText,
      roughly(document, schema?.items ?? schema).map((one) =>
        typeof one === 'object' ? JSON.stringify(one) : String(one),
      ),
    )
    return fc.tuple(fc.constant(lookup === null ? base : `${base}__${lookup}`), value)
  })
  return fc.array(named, { maxLength: 4 }).map((pairs) => {
    const text = new URLSearchParams(pairs.map(([key, value]) => [key.toWellFormed(), value.toWellFormed()])).toString()
    return text === '' ? '' : `?${text}`
  })
}

const bodyOf = (document: Document, schema: Schema | undefined): fc.Arbitrary<string | null> =>
  fc.oneof(
    { weight: 8, arbitrary: roughly(document, schema).map((value) => JSON.stringify(value) ?? 'null') },
    { weight: 1, arbitrary: roughly(document, schema).map((value) => (JSON.stringify(value) ?? 'null').slice(0, -1)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        null,
        '',
        '[',
        '{"a":1,"a":2}',
        '1e999',
        '['.repeat(2000),
        '{"__proto__":{"admin":true}}',
        '"\\ud800"',
      ),
    },
  )

/** Requests for one operation of the document, most of which are well formed. */
export function arbitraryRequest(
  document: Document,
  { path, method, branch }: { readonly path: string; readonly method: string; readonly branch: string },
): fc.Arbitrary<FuzzedRequest> {
  const { parameters = [], requestBody } = document.paths[path]?.[method] ?? {}
  const { schema } = requestBody?.content['application/json'] ?? {}
  const headers = fc.record(
    {
      Accept: fc.constantFrom('application/json', '*/*', 'application/json; version=4.7', 'text/csv'),
      'If-Match': fc.constantFrom('*', 'W/"x"', '"'.repeat(300), 'W/"2026-01-01T00:00:00+00:00"'),
      'X-NetBox-Branch': fc.constantFrom(branch, 'nothing1', '', '%00'),
      'X-Forwarded-Host': fc.constantFrom('evil.example', ''),
      'X-Request-ID': fc.constantFrom('not-a-uuid'),
    },
    { requiredKeys: [] },
  )
  const place = fc.oneof(
    { weight: 12, arbitrary: ids.map((id) => ({ id, odd: false })) },
    { weight: 1, arbitrary: oddIds.map((id) => ({ id, odd: true })) },
  )
  return fc
    .record({
      place,
      query: queryOf(document, parameters),
      body: requestBody === undefined ? fc.constant(null) : bodyOf(document, schema),
      headers: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, headers),
    })
    .map(({ place: { id, odd }, query, body, headers: more }) => ({
      method: method.toUpperCase(),
      path: `${path.replace(/\{\w+\}/g, id)}${query}`,
      headers: { ...(body === null ? {} : { 'Content-Type': 'application/json' }), ...more },
      body,
      documented: !(odd && path.includes('{')),
    }))
}
