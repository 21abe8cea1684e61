import { describe, expect, test } from 'vitest'
import { type ReceivedResponse, responseCheck } from './response-check.ts'

const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const document = {
  openapi: '3.1.0',
  paths: {
    '/cars/': {
      get: {
        responses: {
          200: json({ type: 'array', items: { $ref: '#/components/schemas/Car' } }),
          403: json({ $ref: '#/components/schemas/Detail' }),
        },
      },
    },
    '/cars/{id}/': {
      get: { responses: { 200: json({ $ref: '#/components/schemas/Car' }) } },
      delete: { responses: { 204: {} } },
    },
    '/cars/new/': { get: { responses: { 200: json({ $ref: '#/components/schemas/Detail' }) } } },
  },
  components: {
    schemas: {
      Car: {
        type: 'object',
        required: ['id', 'made'],
        properties: {
          id: { type: 'integer' },
          made: { type: ['string', 'null'], format: 'date-time' },
          owner: { type: ['object', 'null'], properties: { name: { type: 'string' } } },
          notes: { type: 'object' },
        },
      },
      Detail: { type: 'object', required: ['detail'], properties: { detail: { type: 'string' } } },
    },
  },
}
const check = responseCheck(document, { partialBy: ['fields'] })
const got = (path: string, body: unknown, about: Partial<ReceivedResponse> = {}): ReceivedResponse => ({
  method: 'GET',
  path,
  status: 200,
  contentType: 'application/json; charset=utf-8',
  text: typeof body === 'string' ? body : JSON.stringify(body),
  ...about,
})
const car = { id: 1, made: '2026-05-01T00:00:00Z' }

describe('a response that the document describes passes', () => {
  test.each<[string, ReceivedResponse]>([
    ['a list', got('/cars/?limit=2', [car, { ...car, made: null }])],
    ['an object', got('/cars/1/', { ...car, owner: { name: 'a' }, notes: { any: 'thing' } })],
    ['a literal path next to one with a parameter', got('/cars/new/', { detail: 'x' })],
    ['an object in part, by its parameter', got('/cars/1/?fields=id', { id: 1 })],
    ['a response without a body', got('/cars/1/', '', { method: 'DELETE', status: 204, contentType: null })],
    ['HEAD', got('/cars/1/', '', { method: 'HEAD' })],
    ['OPTIONS', got('/cars/1/', { name: 'Car' }, { method: 'OPTIONS' })],
    ['a method that the path does not have', got('/cars/', { detail: 'no' }, { method: 'PUT', status: 405 })],
    ['one that is refused before', got('/cars/', { detail: 'no' }, { method: 'PUT', status: 403 })],
  ])('%s', (_, response) => expect(check(response)).toBeUndefined())
})

describe('a response that it does not describe fails', () => {
  test.each<[string, ReceivedResponse, string]>([
    ['a path', got('/bikes/', []), 'no such path'],
    ['a status', got('/cars/1/', { detail: 'x' }, { status: 404 }), 'which the document does not list'],
    ['a content type', got('/cars/1/', '<p>', { contentType: 'text/html' }), 'undocumented content type text/html'],
    ['a body', got('/cars/1/', 'x', { method: 'DELETE', status: 204 }), 'whose body the document does not list'],
    ['a method', got('/cars/', {}, { method: 'PUT' }), 'no such method: 405'],
    ['a further property', got('/cars/1/', { ...car, doors: 4 }), '"additionalProperty": "doors"'],
    ['one inside', got('/cars/1/', { ...car, owner: { name: 'a', age: 3 } }), '"additionalProperty": "age"'],
    ['a missing property', got('/cars/1/', { id: 1 }), '"missingProperty": "made"'],
    ['a type', got('/cars/1/', { ...car, id: '1' }), 'must be integer'],
    ['a format', got('/cars/1/', { ...car, made: 'yesterday' }), 'date-time'],
    ['an item', got('/cars/', [{ ...car, doors: 4 }]), '"/0"'],
  ])('%s', (_, response, why) => expect(() => check(response)).toThrow(why))
})
