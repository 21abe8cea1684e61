import { type DefinitionKind, definitionModels, type Field, modelNames, registry } from '@netbox-pbs/core'
import { definitionsPath } from '../rest/links.ts'
import type { route } from '../rest/route.ts'
import { envelopeSchema, inputSchema, readSchema } from './model-schemas.ts'
import {
  bodyErrors,
  errorResponses,
  idParameter,
  ifMatchParameter,
  json,
  listResponse,
  notFoundResponse,
  pageParameters,
  presentationParameters,
  ref,
  response,
  startParameter,
  versionErrors,
  wrongPage,
} from './responses.ts'

/** Name of a kind's schema in the document. */
const schemaName = (kind: DefinitionKind): string => definitionModels[kind].className

const objectTypes = {
  type: 'array',
  items: { type: 'string', enum: modelNames.map((name) => registry[name].objectType) },
}
const pairs = {
  type: 'array',
  items: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'string' } },
  description: 'Pairs of a value and its label.',
}
const choiceSet = {
  type: ['object', 'null'],
  properties: {
    id: { type: 'integer' },
    url: { type: 'string' },
    display: { type: 'string' },
    name: { type: 'string' },
    description: { type: 'string' },
    choices_count: { type: 'integer' },
  },
}
const uri = { type: 'string', format: 'uri' }
const datetime = { type: 'string', format: 'date-time' }
const nothing = { type: 'null', readOnly: true }

/** Fields of JSON that are no plain values, as they are read and as they are written. */
const special: Readonly<Record<string, { readonly read: object; readonly write: object }>> = {
  object_types: { read: objectTypes, write: objectTypes },
  extra_choices: { read: pairs, write: pairs },
  choice_set: { read: choiceSet, write: { oneOf: [{ type: 'integer' }, { type: 'object' }, { type: 'null' }] } },
  default: { read: {}, write: {} },
}

const more: Readonly<Record<DefinitionKind, Readonly<Record<string, object>>>> = {
  tag: { tagged_items: { type: 'integer', readOnly: true } },
  custom_field: {
    data_type: { type: 'string', readOnly: true },
    related_object_type: nothing,
    related_object_filter: nothing,
    validation_schema: nothing,
  },
  choice_set: { base_choices: nothing, choices_count: { type: 'integer', readOnly: true } },
}

/** The fields of a definition as it is read, in their order, with their schemas. */
export function servedProperties(kind: DefinitionKind): Readonly<Record<string, object>> {
  const fields = Object.entries<Field>(definitionModels[kind].fields)
  return {
    id: { type: 'integer' },
    url: uri,
    display_url: uri,
    display: { type: 'string' },
    ...Object.fromEntries(fields.map(([field, about]) => [field, special[field]?.read ?? readSchema(about)])),
    ...more[kind],
    owner: nothing,
    created: datetime,
    last_updated: datetime,
  }
}

/** The schemas of a kind: a definition as read, the envelope of its list, and the bodies of its writes. */
export function definitionSchemas(kind: DefinitionKind): Readonly<Record<string, object>> {
  const name = schemaName(kind)
  const fields = Object.entries<Field>(definitionModels[kind].fields)
  const read = servedProperties(kind)
  const write = Object.fromEntries(fields.map(([field, about]) => [field, special[field]?.write ?? inputSchema(about)]))
  const required = fields.filter(([, about]) => about.required).map(([field]) => field)
  return {
    [name]: { type: 'object', required: Object.keys(read), properties: read },
    [`${name}List`]: envelopeSchema(ref(name)),
    [`${name}Request`]: { type: 'object', required, properties: write },
    [`Patched${name}Request`]: { type: 'object', properties: write },
  }
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** Describes an operation on the list of a kind or on one definition. */
export function describeDefinitionOperation(
  kind: DefinitionKind,
  method: Method,
  place: 'list' | 'detail',
  filters: ReadonlyArray<{ readonly name: string; readonly in: 'query'; readonly schema: object }> = [],
): Parameters<typeof route>[0] {
  const { path, label, labelPlural } = definitionModels[kind]
  const one = ref(schemaName(kind))
  const many = { type: 'array', items: one }
  const list = place === 'list'
  const verb = {
    get: list ? 'list' : 'retrieve',
    post: 'create',
    put: 'update',
    patch: 'partial_update',
    delete: 'destroy',
  }[method]
  const written = method !== 'get' && method !== 'post'
  const request = ref(`${method === 'patch' ? 'Patched' : ''}${schemaName(kind)}Request`)
  const named = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }
  const versioned = !list && written
  const verbs = {
    get: list ? 'List' : 'Get',
    post: 'Create',
    put: 'Replace',
    patch: 'Change',
    delete: 'Delete',
  } as const
  return {
    method,
    path: list ? definitionsPath(kind) : `${definitionsPath(kind)}{id}/`,
    tags: ['extras'],
    operationId: `extras_${path.replaceAll('-', '_')}_${list && written ? 'bulk_' : ''}${verb}`,
    summary: `${verbs[method]} ${list ? labelPlural : `a ${label}`}`,
    description: method === 'get' ? textOf[kind] : `${textOf[kind]} They are not branched.`,
    parameters: [
      ...filters,
      ...(list && method === 'get' ? [startParameter, ...pageParameters] : []),
      ...(method === 'get' ? presentationParameters : []),
      ...(list ? [] : [idParameter]),
      ...(versioned ? [ifMatchParameter] : []),
    ],
    ...(method === 'get' || (method === 'delete' && !list)
      ? {}
      : {
          requestBody: {
            content: json(
              method === 'post'
                ? { oneOf: [request, { type: 'array', items: request }] }
                : !list
                  ? request
                  : { type: 'array', items: method === 'delete' ? named : { allOf: [request, named] } },
            ),
          },
        }),
    responses: {
      ...errorResponses,
      ...(method === 'get' && list
        ? { 200: listResponse('A page of the list', ref(`${schemaName(kind)}List`)), ...wrongPage }
        : method === 'post'
          ? { 201: response('Created', { oneOf: [one, many] }) }
          : method === 'delete'
            ? { 204: { description: 'Deleted' } }
            : { 200: response('The definition', list ? many : one) }),
      ...(method === 'get'
        ? {}
        : {
            ...bodyErrors,
            400: response('The errors of each field', {
              anyOf: [ref('FieldErrors'), ref('Detail'), ref('ObjectErrors')],
            }),
          }),
      ...(method === 'delete' && kind === 'choice_set' ? { 409: response('Custom fields use it', ref('Detail')) } : {}),
      ...(list ? {} : notFoundResponse),
      ...(versioned ? versionErrors : {}),
    },
  }
}

const textOf: Readonly<Record<DefinitionKind, string>> = {
  tag: 'Tags group rows of any model.',
  custom_field: 'Custom fields give the rows of some models further values.',
  choice_set: 'Choice sets have the values of custom fields that are selections.',
}

/** The `OPTIONS` answer of a kind: the fields that a write takes. */
export function describeDefinition(kind: DefinitionKind, place: 'List' | 'Instance'): object {
  const { label, fields } = definitionModels[kind]
  const described = Object.fromEntries(
    Object.entries<Field>(fields).map(([name, field]) => [
      name,
      {
        type:
          field.type === 'text'
            ? 'string'
            : field.type === 'integer' || field.type === 'boolean'
              ? field.type
              : 'field',
        required: field.required ?? false,
        read_only: false,
        label: field.label,
        ...(field.type === 'text' ? { max_length: field.max } : {}),
        ...(field.type === 'choice'
          ? { choices: field.choices.map((choice) => ({ value: choice.value, display_name: choice.label })) }
          : {}),
      },
    ]),
  )
  return {
    name: `${label.charAt(0).toUpperCase()}${label.slice(1)} ${place}`,
    description: '',
    renders: ['application/json'],
    parses: ['application/json'],
    actions: place === 'List' ? { PUT: described, POST: described } : { PUT: described },
  }
}
