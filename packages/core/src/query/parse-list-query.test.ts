import { describe, expect, test } from 'vitest'
import type { ModelName } from '../registry/field.ts'
import { parseListQuery, referencedRows, resolveListQuery } from './parse-list-query.ts'

const read = (model: ModelName, query: string) => parseListQuery(model, new URLSearchParams(query))
const filters = (model: ModelName, query: string) => read(model, query).query.filters

describe('a page', () => {
  test.each([
    ['', { _tag: 'offset', limit: 50, offset: 0 }],
    ['limit=0', { _tag: 'offset', limit: 1000, offset: 0 }],
    ['limit=5000', { _tag: 'offset', limit: 1000, offset: 0 }],
    ['limit=-1&offset=-1', { _tag: 'offset', limit: 50, offset: 0 }],
    ['limit=x&offset=x', { _tag: 'offset', limit: 50, offset: 0 }],
    ['limit=2&limit=3&offset=7', { _tag: 'offset', limit: 3, offset: 7 }],
    ['offset=99999999999999999999', { _tag: 'offset', limit: 50, offset: Number.MAX_SAFE_INTEGER }],
    ['start=0', { _tag: 'cursor', limit: 50, start: 0 }],
    ['start=12&limit=0', { _tag: 'cursor', limit: 1000, start: 12 }],
  ])('of %s', (query, page) => {
    expect(read('snapshot', query)).toMatchObject({ query: { page }, pageError: null })
  })

  test.each([
    ['start=0&offset=0', "'start' and 'offset' are mutually exclusive."],
    ['start=0&ordering=id', 'Ordering cannot be specified in conjunction with cursor-based pagination.'],
    ['start=-1', "Invalid 'start' parameter: must be a non-negative integer."],
    ['start=x', "Invalid 'start' parameter: must be a non-negative integer."],
  ])('cannot be had of %s', (query, message) => {
    expect(read('snapshot', query).pageError).toBe(message)
  })
})

describe('a filter', () => {
  test.each<[ModelName, string, ReadonlyArray<unknown>]>([
    ['snapshot', 'backup_id=100&backup_id=%20x%20', ['100', 'x']],
    ['snapshot', 'owner=null', [null]],
    ['snapshot', 'backup_type=vm&backup_type=unknown', ['vm', 'unknown']],
    ['snapshot', 'protected=true', [true]],
    ['snapshot', 'protected=True&protected=False', [false]],
    ['snapshot', 'size_bytes=1&size_bytes=&size_bytes=9007199254740991', [1, 9007199254740991]],
    ['snapshot', 'backup_time=2026-02-03', ['2026-02-03T00:00:00Z']],
    ['snapshot', 'id=1&id=2', [1, 2]],
    // No column holds these, so no row matches; the database never sees a number out of its range.
    ['server', 'port=-1', []],
    ['server', 'port=70000', []],
    ['snapshot', 'id=99999999999999999999', []],
  ])('of %s by %s', (model, query, values) => {
    expect(filters(model, query)).toEqual([{ field: query.split('=')[0], lookup: 'exact', values }])
  })

  test('asks whether a number or a time is known', () => {
    expect(filters('datastore', 'used_bytes__empty=true&last_seen_at__empty=false')).toEqual([
      { field: 'used_bytes', lookup: 'empty', values: [true] },
      { field: 'last_seen_at', lookup: 'empty', values: [false] },
    ])
  })

  test.each<[ModelName, string]>([
    ['snapshot', 'backup_id='],
    ['snapshot', 'id='],
    ['snapshot', 'protected='],
    ['snapshot', 'backup_time='],
    ['datastore', 'used_bytes='],
  ])('of %s is absent in %s', (model, query) => {
    expect(read(model, query)).toMatchObject({ query: { filters: [] }, ignored: [], errors: {} })
  })

  test.each<[ModelName, string, string, string]>([
    ['snapshot', 'id=abc', 'id', 'Enter a whole number.'],
    ['snapshot', 'id=1,2', 'id', 'Enter a whole number.'],
    ['server', 'port=1.5', 'port', 'Enter a whole number.'],
    ['server', 'port=null', 'port', 'Enter a whole number.'],
    ['server', 'status=', 'status', 'Select a valid choice.  is not one of the available choices.'],
    ['server', 'status=REACHABLE', 'status', 'Select a valid choice. REACHABLE is not one of the available choices.'],
    ['server', 'status=null', 'status', 'Select a valid choice. null is not one of the available choices.'],
    ['server', 'last_seen_at=soon', 'last_seen_at', 'Enter a valid date/time.'],
    ['server', 'name=a%00b', 'name', 'Null characters are not allowed.'],
    ['snapshot', 'server_id=abc', 'server_id', '“abc” is not a valid value.'],
    ['snapshot', 'server_id=', 'server_id', '“” is not a valid value.'],
  ])('of %s is refused in %s', (model, query, field, message) => {
    expect(read(model, query).errors).toEqual({ [field]: [message] })
  })

  test('that neither NetBox nor we know is ignored and named', () => {
    const query =
      'nope=1&id__in=1,2&name__zz=1&owner__zz=1&protected=maybe&protected__n=true&port__empty=x&size_bytes__empty=1&files=x&files__n=x&size_bytes__ic=1&server__name=a&tags=a&constructor=1&__proto__=1&limit=1&format=json'
    expect(read('snapshot', query)).toMatchObject({
      query: { filters: [] },
      errors: {},
      ignored: [
        'nope',
        'id__in',
        'name__zz',
        'owner__zz',
        'protected',
        'protected__n',
        'port__empty',
        'size_bytes__empty',
        'files',
        'files__n',
        'size_bytes__ic',
        'server__name',
        'tags',
        'constructor',
        '__proto__',
      ],
    })
  })

  test.each<[ModelName, string]>([
    ...['n', 'ic', 'nic', 'ie', 'nie', 'isw', 'nisw', 'iew', 'niew', 'empty', 'regex', 'iregex'].flatMap(
      (lookup): ReadonlyArray<[ModelName, string]> => [
        ['server', `name__${lookup}`],
        ['server', `status__${lookup}`],
        ['snapshot', `backup_id__${lookup}`],
      ],
    ),
    ...['n', 'lt', 'lte', 'gt', 'gte'].flatMap(
      (lookup): ReadonlyArray<[ModelName, string]> => [
        ['snapshot', `size_bytes__${lookup}`],
        ['snapshot', `backup_time__${lookup}`],
        ['group', `last_backup__${lookup}`],
        ['job', `id__${lookup}`],
        ['datastore', `created__${lookup}`],
        ['task', `last_updated__${lookup}`],
      ],
    ),
    ['snapshot', 'server__n'],
    ['snapshot', 'server_id__n'],
    ['job', 'tag'],
    ['job', 'tag__n'],
    ['job', 'tag_id'],
    ['server', 'cf_site'],
    ['server', 'cf_site__ic'],
    ['server', 'created_by_request'],
    ['server', 'filter_id'],
    ['server', 'export'],
  ])('of %s by %s is not built, and refused under its own name', (model, parameter) => {
    const { errors, ignored } = read(model, `${parameter}=1`)
    expect(errors).toEqual({ [parameter]: [expect.stringContaining('is not offered yet')] })
    expect(ignored).toEqual([])
  })

  test('by a lookup without a value is none', () => {
    expect(read('server', 'name__isw=&port__gt=')).toMatchObject({ errors: {}, query: { filters: [] } })
  })
})

describe('an order', () => {
  test.each([
    [
      'ordering=-backup_time,id',
      [
        ['backup_time', true],
        ['id', false],
      ],
    ],
    [
      'ordering=server,-server',
      [
        ['server', false],
        ['server', true],
      ],
    ],
    ['ordering=url,nope,files,-', []],
    ['ordering=', []],
    ['ordering=id&ordering=owner', [['owner', false]]],
  ] as const)('of %s', (query, order) => {
    expect(read('snapshot', query).query.order).toEqual(order.map(([field, descending]) => ({ field, descending })))
  })
})

test.each([
  ['brief=0', { brief: true, fields: null, omit: null }],
  ['brief=', { brief: false, fields: null, omit: null }],
  ['fields=id,nope&omit=url', { brief: false, fields: ['id', 'nope'], omit: ['url'] }],
])('the presentation of %s', (query, presentation) => {
  expect(read('server', query).presentation).toEqual(presentation)
})

test.each([
  ['q=', null],
  ['q=%20%20', null],
  ['q=%20a%20b%20', 'a b'],
])('the search of %s', (query, search) => {
  expect(read('server', query).query.search).toBe(search)
})

describe('a server', () => {
  const known = {
    idsByName: new Map([
      ['pbs-a', 4],
      ['7', 9],
    ]),
    ids: new Set([4, 7, 9]),
  }
  const resolve = (query: string) => resolveListQuery(read('snapshot', query), known)
  const by = (...values: ReadonlyArray<number | null>) => [{ field: 'server', lookup: 'exact', values }]

  test.each([
    ['server=pbs-a', by(4)],
    ['server=4', by(4)],
    ['server=7', by(9)],
    ['server=pbs-a&server=null', by(4, null)],
    ['server_id=7&server_id=null', by(7, null)],
    ['server=pbs-a&server_id=7', [...by(4), ...by(7)]],
  ])('is found by %s', (query, filters) => {
    expect(resolve(query)).toMatchObject({ _tag: 'query', query: { filters } })
  })

  test.each([
    ['server=nope', { server: ['Select a valid choice. nope is not one of the available choices.'] }],
    ['server_id=999', { server_id: ['Select a valid choice. 999 is not one of the available choices.'] }],
    ['server=', { server: ['Select a valid choice.  is not one of the available choices.'] }],
    [
      'server=nope&id=x&start=0&offset=1',
      {
        id: ['Enter a whole number.'],
        server: ['Select a valid choice. nope is not one of the available choices.'],
      },
    ],
    ['server=pbs-a&start=0&offset=1', ["'start' and 'offset' are mutually exclusive."]],
  ])('is not found by %s', (query, body) => {
    expect(resolve(query)).toEqual({ _tag: 'rejected', body })
  })

  test('is looked up by name and, where it could be one, by id', () => {
    expect(referencedRows(read('job', 'server=pbs-a&server=7&server_id=4&server_id=null'))).toEqual({
      names: ['pbs-a', '7'],
      ids: [7, 4],
    })
  })

  test('has no server itself', () => {
    expect(read('server', 'server=pbs-a&server_id=1')).toMatchObject({ lookups: [], ignored: ['server', 'server_id'] })
  })
})
