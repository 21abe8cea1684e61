import { type Field, type ModelName, registry } from '@netbox-pbs/core'
import { type WriteMode, writableFields } from '../validation/validate-item.ts'
import { ref } from './responses.ts'

/** Name of a model's schema in the document: `Server`, `ServerRequest`, `ServerList`. */
export const schemaName = (model: ModelName): string => registry[model].label

const datetime = { type: 'string', format: 'date-time' }
const uri = { type: 'string', format: 'uri' }

/** The schemas of a model: a row as read, the envelope of its list, and the body of a write. */
export function modelSchemas(model: ModelName): Readonly<Record<string, object>> {
  const name = schemaName(model)
  return {
    [name]: rowSchema(model),
    [`${name}List`]: envelopeSchema(ref(name)),
    ...(registry[model].writable
      ? { [`${name}Request`]: writeSchema(model, 'whole'), [`Patched${name}Request`]: writeSchema(model, 'partial') }
      : { [`Patched${name}Request`]: { type: 'object', properties: attachedSchemas } }),
  }
}

/** A list's envelope around rows of a schema. */
export const envelopeSchema = (items: object): object => ({
  type: 'object',
  required: ['count', 'next', 'previous', 'results'],
  properties: {
    count: { type: ['integer', 'null'] },
    next: { ...uri, type: ['string', 'null'] },
    previous: { ...uri, type: ['string', 'null'] },
    results: { type: 'array', items },
  },
})

const customFields = {
  type: 'object',
  additionalProperties: true,
  description: 'Values by the names of the custom fields of the model; null: no value.',
}

const tagList = (description: string) => ({
  type: 'array',
  items: { oneOf: [{ type: 'integer' }, { type: 'string' }, ref('TagReference')] },
  description,
})

/** Tags and custom fields in the body of a write. */
const attachedSchemas = {
  tags: tagList('All tags of the row, by id or by attributes.'),
  add_tags: { ...tagList('Tags to add to those of the row.'), writeOnly: true },
  remove_tags: { ...tagList('Tags to take from the row.'), writeOnly: true },
  custom_fields: { ...customFields, description: 'Values by name; fields that are left out stay.' },
}

/** A tag as a row shows it, and as a body may name it. */
export const tagSchemas: Readonly<Record<string, object>> = {
  NestedTag: {
    type: 'object',
    required: ['id', 'url', 'display_url', 'display', 'name', 'slug', 'color'],
    properties: {
      id: { type: 'integer' },
      url: uri,
      display_url: uri,
      display: { type: 'string' },
      name: { type: 'string' },
      slug: { type: 'string' },
      color: { type: 'string' },
    },
  },
  TagReference: {
    type: 'object',
    properties: {
      id: { type: 'integer' },
      name: { type: 'string' },
      slug: { type: 'string' },
      color: { type: 'string' },
    },
  },
}

function rowSchema(model: ModelName): object {
  const fields = Object.entries<Field>(registry[model].fields).filter(([, field]) => !field.internal)
  const properties = {
    id: { type: 'integer' },
    url: uri,
    display_url: uri,
    display: { type: 'string' },
    ...Object.fromEntries(fields.map(([name, field]) => [name, readSchema(field)])),
    tags: { type: 'array', items: ref('NestedTag') },
    custom_fields: customFields,
    created: datetime,
    last_updated: datetime,
  }
  return { type: 'object', required: Object.keys(properties), properties }
}

function writeSchema(model: ModelName, mode: WriteMode): object {
  const fields = writableFields(model)
  const secret =
    model === 'server'
      ? {
          token_secret: {
            type: 'string',
            writeOnly: true,
            description:
              'Connects the server. The connection is tested first: if the test fails, the answer is a 400 and nothing is stored.',
          },
          untested: {
            type: 'boolean',
            writeOnly: true,
            default: false,
            description: 'With token_secret: store the connection without a test.',
          },
        }
      : {}
  return {
    type: 'object',
    ...(mode === 'partial' ? {} : { required: fields.filter(([, field]) => field.required).map(([name]) => name) }),
    properties: {
      ...Object.fromEntries(fields.map(([name, field]) => [name, inputSchema(field)])),
      ...attachedSchemas,
      ...secret,
    },
  }
}

/** A field as it is read. */
export function readSchema(field: Field): object {
  const about = { title: field.label, ...(field.readOnly ? { readOnly: true } : {}) }
  switch (field.type) {
    case 'choice': {
      const values = field.choices.map(({ value }) => value)
      const properties = { value: { type: 'string', enum: values }, label: { type: 'string' } }
      const isAlwaysSet = field.required === true || (field.default ?? '') !== ''
      return { ...about, type: isAlwaysSet ? 'object' : ['object', 'null'], required: ['value', 'label'], properties }
    }
    case 'reference':
      return { ...about, ...ref('BriefServer') }
    case 'json':
      return about
    case 'text': {
      // The limit is for users' writes: a source's own text is stored and shown whole.
      const { maxLength: _, ...text } = textSchema(field)
      return { ...about, ...text }
    }
    default:
      return { ...about, ...inputSchema(field) }
  }
}

const textSchema = ({ nullable, max, required }: Extract<Field, { readonly type: 'text' }>) => ({
  type: nullable ? ['string', 'null'] : 'string',
  maxLength: max,
  ...(required ? { minLength: 1 } : {}),
})

/** A field as it is written. */
export function inputSchema(field: Field): object {
  const nullable = (type: string) => (field.nullable ? [type, 'null'] : type)
  switch (field.type) {
    case 'text':
      return textSchema(field)
    case 'integer':
      return { type: nullable('integer'), minimum: field.min, maximum: field.max }
    case 'boolean':
      return { type: nullable('boolean') }
    case 'datetime':
      return { ...datetime, type: nullable('string') }
    case 'choice':
      return { type: 'string', enum: field.choices.map(({ value }) => value) }
    case 'reference':
      return { oneOf: [{ type: 'integer' }, { type: 'string' }, ref('ServerReference')] }
    case 'json':
      return {}
  }
}
