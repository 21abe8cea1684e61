/** A schema of the document, as far as it uses JSON Schema. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly format?: string
  readonly title?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly default?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly readOnly?: boolean
  readonly writeOnly?: boolean
  readonly not?: object
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean | Schema
  readonly anyOf?: ReadonlyArray<Schema>
  readonly oneOf?: ReadonlyArray<Schema>
}

/** A parameter of an operation. */
export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

/** An operation as the document has it, with its place. */
export interface Operation {
  readonly method: string
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly tags: ReadonlyArray<string>
  /** Empty: it needs no token. */
  readonly security?: ReadonlyArray<object>
  readonly parameters?: ReadonlyArray<Parameter>
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

type OperationOfDocument = Omit<Operation, 'method' | 'path'>

/** The document of the API, which is our own: what it holds is known. */
export interface Document {
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationOfDocument>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

/** The operations of a document, path by path, those that read first. */
export const operationsOf = ({ paths }: Document): ReadonlyArray<Operation> =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ ...operation, method: method.toUpperCase(), path }]
    }),
  )

/** Operations under each of their tags, in the order of the tags' names. */
export function byTag(
  operations: ReadonlyArray<Operation>,
): ReadonlyArray<{ readonly tag: string; readonly operations: ReadonlyArray<Operation> }> {
  const tags = [...new Set(operations.flatMap((operation) => operation.tags))].sort()
  return tags.map((tag) => ({ tag, operations: operations.filter((operation) => operation.tags.includes(tag)) }))
}

const schemaPrefix = '#/components/schemas/'

/** The name of the schema that a reference means; null: it is no reference. */
export const nameOf = ({ $ref }: Schema): string | null => $ref?.slice(schemaPrefix.length) ?? null

/** The operations that name a schema in a body or an answer. */
export const usersOf = (operations: ReadonlyArray<Operation>, name: string): ReadonlyArray<Operation> =>
  operations.filter(({ requestBody, responses }) =>
    JSON.stringify([requestBody, responses]).includes(`"${schemaPrefix}${name}"`),
  )

/** The JSON schema of a body or an answer; null: it has none. */
export const jsonSchemaOf = (content: Content | undefined): Schema | null =>
  content?.['application/json']?.schema ?? null
