/** How a parameter must look. Numbers and lengths are inclusive bounds. */
export type ParameterSchema =
  | {
      readonly type: 'string'
      readonly optional?: boolean
      readonly minLength?: number
      readonly maxLength?: number
      readonly pattern?: RegExp
      readonly values?: readonly string[]
    }
  | { readonly type: 'integer'; readonly optional?: boolean; readonly minimum?: number; readonly maximum?: number }
  | { readonly type: 'boolean'; readonly optional?: boolean }

/** The parameters of a route by name. Others are errors. */
export type ParameterSchemas = Readonly<Record<string, ParameterSchema>>

/** Checked parameters by name; absent ones are missing. */
export type Parameters = ReadonlyMap<string, string | number | boolean>

/** The result of a check: values, or the message PBS sends with its 400. */
export type ParameterCheck =
  | { readonly ok: true; readonly values: Parameters }
  | { readonly ok: false; readonly message: string }

const TRUE = ['1', 'on', 'yes', 'true']
const FALSE = ['0', 'off', 'no', 'false']

const stringProblem = (schema: ParameterSchema & { type: 'string' }, text: string): string | null => {
  if (schema.minLength !== undefined && text.length < schema.minLength)
    return `value must be at least ${schema.minLength} characters long`
  if (schema.maxLength !== undefined && text.length > schema.maxLength)
    return `value may only be ${schema.maxLength} characters long`
  if (schema.pattern !== undefined && !schema.pattern.test(text)) return 'value does not match the regex pattern'
  if (schema.values !== undefined && !schema.values.includes(text))
    return `value '${text}' is not defined in the enumeration.`
  return null
}

const parseOne = (
  schema: ParameterSchema,
  text: string,
): { readonly value: string | number | boolean } | { readonly problem: string } => {
  switch (schema.type) {
    case 'string': {
      const problem = stringProblem(schema, text)
      return problem === null ? { value: text } : { problem }
    }
    case 'integer': {
      if (!/^[+-]?\d+$/.test(text)) return { problem: 'invalid digit found in string' }
      const value = Number(text)
      if (schema.minimum !== undefined && value < schema.minimum)
        return { problem: `value must have a minimum value of ${schema.minimum} (got ${value})` }
      if (schema.maximum !== undefined && value > schema.maximum)
        return { problem: `value must have a maximum value of ${schema.maximum} (got ${value})` }
      return { value }
    }
    case 'boolean': {
      const lower = text.toLowerCase()
      if (TRUE.includes(lower)) return { value: true }
      return FALSE.includes(lower) ? { value: false } : { problem: 'Unable to parse boolean option.' }
    }
  }
}

const messageOf = (problems: readonly (readonly [string, string])[]): string => {
  const lines = problems.map(([name, text]) => `'${name}': ${text}`)
  if (lines.length === 1) return `parameter verification failed - ${lines[0] ?? ''}`
  return `parameter verification failed:\n${lines.map((line) => `- ${line}\n`).join('')}`
}

/** Checks given name/value pairs (path captures and query) against a route's schemas, collecting every problem. */
export const checkParameters = (
  schemas: ParameterSchemas,
  given: Iterable<readonly [string, string]>,
): ParameterCheck => {
  const values = new Map<string, string | number | boolean>()
  const problems: (readonly [string, string])[] = []
  const seen = new Set<string>()
  for (const [name, text] of given) {
    if (name === '_dc') continue
    const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined
    if (schema === undefined) problems.push([name, 'schema does not allow additional properties.'])
    else if (seen.has(name)) problems.push([name, 'duplicate parameter.'])
    else {
      const parsed = parseOne(schema, text)
      if ('problem' in parsed) problems.push([name, parsed.problem])
      else values.set(name, parsed.value)
    }
    seen.add(name)
  }
  for (const [name, schema] of Object.entries(schemas))
    if (schema.optional !== true && !seen.has(name))
      problems.push([name, 'parameter is missing and it is not optional.'])
  return problems.length === 0 ? { ok: true, values } : { ok: false, message: messageOf(problems) }
}

const SAFE_ID = '[A-Za-z0-9_][A-Za-z0-9._-]*'

/** A datastore name. */
export const storeSchema = {
  type: 'string',
  minLength: 3,
  maxLength: 32,
  pattern: new RegExp(`^${SAFE_ID}$`),
} as const satisfies ParameterSchema

/** An optional namespace of at most seven components; the root is the empty string. */
export const namespaceSchema = {
  type: 'string',
  optional: true,
  maxLength: 256,
  pattern: new RegExp(`^(?:${SAFE_ID}(?:/${SAFE_ID}){0,6})?$`),
} as const satisfies ParameterSchema

/** A backup id. */
export const backupIdSchema = {
  type: 'string',
  optional: true,
  pattern: new RegExp(`^${SAFE_ID}$`),
} as const satisfies ParameterSchema

/** A backup type. */
export const backupTypeSchema = {
  type: 'string',
  optional: true,
  values: ['vm', 'ct', 'host'],
} as const satisfies ParameterSchema

/** The node name: any host name label; its value is otherwise ignored. */
export const nodeSchema = {
  type: 'string',
  pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/,
} as const satisfies ParameterSchema
