import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** A response as a client received it, with the request that it answers. */
export interface ReceivedResponse {
  readonly method: string
  /** Path and query of the request. */
  readonly path: string
  readonly status: number
  /** The `Content-Type` header; null without one. */
  readonly contentType: string | null
  readonly text: string
}

/** Throws an error that names the part that the document lacks. */
export type ResponseCheck = (response: ReceivedResponse) => void

/** Exceptions that a document does not state. */
export interface ResponseCheckOptions {
  /** Query parameters with which an object may lack required properties. */
  readonly partialBy?: ReadonlyArray<string>
}

type Json = { readonly [key: string]: unknown }
type Described = { readonly content?: { readonly [mediaType: string]: unknown } }
type Operation = { readonly responses: { readonly [status: string]: Described } }
type Document = { readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } } }

/**
 * Checks responses against an OpenAPI 3.1 document: the operation of the path and method must
 * describe status, media type and body, and a property that the document does not list is an error.
 * A method that a path does not list must be answered with 405, OPTIONS with any object, HEAD
 * without a body.
 */
export function responseCheck(document: object, { partialBy = [] }: ResponseCheckOptions = {}): ResponseCheck {
  const whole = schemasOf(document, true)
  const partial = schemasOf(document, false)
  const { paths } = document as Document // border: the caller names an OpenAPI document
  const patterns = Object.keys(paths)
    .map((path) => ({ path, pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`) }))
    // A literal path comes before one with a parameter in the same place.
    .sort((a, b) => (a.path.replaceAll('{', '~') < b.path.replaceAll('{', '~') ? -1 : 1))

  return ({ method, path: target, status, contentType, text }) => {
    const { pathname, searchParams } = new URL(target, 'http://localhost')
    const fail = (why: string): never => {
      throw new Error(`${method} ${target} is answered with ${status}, ${why}: ${text.slice(0, 500)}`)
    }
    const path = patterns.find(({ pattern }) => pattern.test(pathname))?.path
    const operations = path === undefined ? undefined : paths[path]
    if (path === undefined || operations === undefined) return fail('and the document has no such path')
    const name = method.toLowerCase()
    const verb = name === 'head' ? 'get' : name
    const operation = operations[verb]
    if (operation === undefined) return checkOther(operations, { name, status, fail })
    const described = operation.responses[status]
    if (described === undefined) return fail('which the document does not list')
    if (name === 'head' || described.content === undefined)
      return text === '' ? undefined : fail('whose body the document does not list')
    const mediaType = contentType?.split(';')[0]?.trim() ?? ''
    if (!(mediaType in described.content)) return fail(`with the undocumented content type ${mediaType}`)
    const schemas = partialBy.some((parameter) => searchParams.has(parameter)) ? partial : whole
    const validate = schemas(['paths', path, verb, 'responses', String(status), 'content', mediaType, 'schema'])
    if (!validate(mediaType === 'application/json' ? JSON.parse(text) : text))
      return fail(`whose body differs from the document: ${JSON.stringify(validate.errors, null, 1)}`)
  }
}

/**
 * A method that the path does not document: the checks before it may refuse the request as they do
 * for the other methods.
 */
function checkOther(
  operations: { readonly [method: string]: Operation },
  { name, status, fail }: { readonly name: string; readonly status: number; readonly fail: (why: string) => never },
): void {
  const usual = name === 'options' ? 200 : 405
  const mayFail = Object.values(operations).some(({ responses }) => status >= 400 && status in responses)
  if (status !== usual && !mayFail) fail(`and the document has no such method: ${usual} is expected`)
}

/** The validators of a document's schemas by their place in it. */
function schemasOf(document: object, required: boolean): (place: ReadonlyArray<string>) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false })
  formats.default(ajv)
  ajv.addSchema(closed(document, required) as Json, 'document')
  return (place) => {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
    const validate = ajv.getSchema(`document#/${pointer}`)
    if (validate === undefined) throw new Error(`the document has no schema at ${pointer}`)
    return validate
  }
}

/** A copy in which objects have no properties but those listed. */
function closed(node: unknown, required: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => closed(item, required))
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => required || key !== 'required' || !Array.isArray(value))
      .map(([key, value]) => [key, closed(value, required)]),
  )
  return isObjectSchema(node) && !('additionalProperties' in node) ? { ...copy, additionalProperties: false } : copy
}

/** An object schema that lists its properties; a property of the name `properties` has no type next to it. */
const isObjectSchema = (node: object): boolean =>
  'properties' in node && 'type' in node && [node.type].flat().includes('object')
