import type { RouteConfig } from '@hono/zod-openapi'
import { branchedModels, listFields, type ModelName, registry, requestFilters } from '@netbox-pbs/core'
import { filterParameters } from '../rest/filter-parameters.ts'
import { listPath } from '../rest/links.ts'
import { maxObjects } from '../rest/read-body.ts'
import type { route } from '../rest/route.ts'
import { schemaName } from './model-schemas.ts'
import {
  bodyErrors,
  branchParameters,
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

type DescribedRoute = Parameters<typeof route>[0]

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

const text = { type: 'string' as const }

/** Describes an operation on a model's list or on one of its rows, from the registry. */
export function describeOperation(model: ModelName, method: Method, place: 'list' | 'detail'): DescribedRoute {
  const path = place === 'list' ? listPath(model) : `${listPath(model)}{id}/`
  const verb = {
    get: place === 'list' ? 'list' : 'retrieve',
    post: 'create',
    put: 'update',
    patch: 'partial_update',
    delete: 'destroy',
  }[method]
  const versioned = place === 'detail' && method !== 'get'
  return {
    method,
    path,
    operationId: `plugins_pbs_${registry[model].path}_${place === 'list' && method !== 'get' && method !== 'post' ? 'bulk_' : ''}${verb}`,
    ...textsOf(model, method, place),
    tags: ['plugins'],
    parameters: [
      ...(place === 'list' && method === 'get' ? listParameters(model) : []),
      ...(place === 'detail' ? [idParameter, ...(method === 'get' ? presentationParameters : [])] : []),
      ...(versioned ? [ifMatchParameter] : []),
      ...(branchedModels.includes(model) ? branchParameters : []),
    ],
    ...(method === 'get' || (method === 'delete' && place === 'detail')
      ? {}
      : { requestBody: { content: json(requestSchema(model, method, place)) } }),
    responses: {
      ...errorResponses,
      ...answers(model, method, place),
      ...(method === 'get' ? {} : writeErrors(model, place)),
      ...(place === 'detail' ? notFoundResponse : {}),
      ...(versioned ? versionErrors : {}),
    },
  }
}

/** What an operation does, in a line and in a sentence. */
function textsOf(model: ModelName, method: Method, place: 'list' | 'detail') {
  const one = registry[model].label.toLowerCase()
  const many = registry[model].labelPlural.toLowerCase()
  const several = place === 'list'
  switch (method) {
    case 'get':
      return several
        ? { summary: `List ${many}`, description: `Pages of ${many}, filtered by their fields, in any order.` }
        : { summary: `Get one of the ${many}`, description: `All fields of a ${one}, with its version as ETag.` }
    case 'post':
      return {
        summary: `Create ${many}`,
        description: `Takes an object or a list of objects: all are created or none.`,
      }
    case 'put':
      return {
        summary: `Replace ${several ? many : `a ${one}`}`,
        description: `Fields that are left out get their defaults.${fromSource}`,
      }
    case 'patch':
      return {
        summary: `Change ${several ? many : `a ${one}`}`,
        description: registry[model].writable
          ? `Fields that are left out stay.${fromSource}`
          : 'Only tags and custom fields can be changed, and only in main.',
      }
    case 'delete':
      return {
        summary: `Delete ${several ? many : `a ${one}`}`,
        description: `The next complete run creates again what a source still lists.`,
      }
  }
}

const fromSource = ' The next complete run restores facts that come from a source.'

function requestSchema(model: ModelName, method: Method, place: 'list' | 'detail'): object {
  const one = ref(`${method === 'patch' ? 'Patched' : ''}${schemaName(model)}Request`)
  if (method === 'post') return { oneOf: [one, { type: 'array', maxItems: maxObjects, items: one }] }
  if (place === 'detail') return one
  const named = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }
  const items = method === 'delete' ? named : { allOf: [one, named] }
  return { type: 'array', maxItems: maxObjects, items }
}

function answers(model: ModelName, method: Method, place: 'list' | 'detail'): RouteConfig['responses'] {
  const one = ref(schemaName(model))
  if (method === 'delete') return { 204: { description: 'Deleted' } }
  if (method === 'post')
    return { 201: { ...response('Created', { oneOf: [one, { type: 'array', items: one }] }), ...warnings(model) } }
  if (place === 'list' && method !== 'get')
    return { 200: response('The objects changed', { type: 'array', items: one }) }
  return place === 'list'
    ? {
        200: listResponse('A page of the list', ref(`${schemaName(model)}List`)),
        ...wrongPage,
      }
    : { 200: { ...response('The object', one), ...(method === 'get' ? {} : warnings(model)) } }
}

/** What the answer to the write of one server warns of, in headers. */
const warnings = (model: ModelName) =>
  model === 'server'
    ? {
        headers: {
          'X-Missing-Privileges': {
            description:
              'Privileges that the token of the server lacks, with their paths; what they show stays hidden.',
            schema: text,
          },
          'X-Same-Certificate': {
            description:
              'Names and ids of other servers for which the certificate of this one is pinned: it may be one PBS under two names, read and counted twice.',
            schema: text,
          },
        },
      }
    : {}

/** The errors of a write: those of its body, of its branch, and for a server of the gateway. */
function writeErrors(model: ModelName, place: 'list' | 'detail'): RouteConfig['responses'] {
  const errors = [ref('FieldErrors'), ref('Detail'), ...(place === 'list' ? [ref('ObjectErrors')] : [])]
  return {
    ...bodyErrors,
    400: response('The errors of each field', { anyOf: errors }),
    409: response('The state of the branch, or of the server, does not allow it', ref('Detail')),
    ...(model === 'server' ? { 502: response('The gateway does not answer', ref('Detail')) } : {}),
  }
}

function listParameters(model: ModelName) {
  const uuid = { type: 'string' as const, format: 'uuid' }
  const more = [
    ...Object.keys(requestFilters).map((name) => ({ name, schema: uuid })),
    ...['', '__n', '__any'].flatMap((suffix) => [
      { name: `tag${suffix}`, schema: { type: 'array' as const, items: text } },
      { name: `tag_id${suffix}`, schema: { type: 'array' as const, items: { type: 'integer' as const } } },
    ]),
    { name: 'q', schema: text },
    { name: 'ordering', schema: text },
  ]
  return [
    ...filterParameters(listFields(model)),
    ...more.map((parameter) => ({ ...parameter, in: 'query' as const })),
    startParameter,
    ...pageParameters,
    ...presentationParameters,
  ]
}
