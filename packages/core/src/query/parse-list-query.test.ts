import { describe, expect, test } from 'vitest'
import type { ModelName } from '../registry/field.ts'
import { modelNames } from '../registry/registry.ts'
import type { Filter } from './list-query.ts'
import { suffixesOf } from './lookups.ts'
import { listFields, parseListQuery, referencedRows, resolveListQuery, sentPatterns } from './parse-list-query.ts'

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
      'nope=1&id__in=1,2&name__ic=1&owner__zz=1&owner__gt=1&owner__n__n=1&__n=1&protected=maybe&protected__n=true&port__empty=x&size_bytes__empty=1&files=x&files__n=x&size_bytes__ic=1&server__name=a&server__ic=a&server_id__gt=1&tags=a&constructor=1&__proto__=1&limit=1&format=json'
    expect(read('snapshot', query)).toMatchObject({
      query: { filters: [] },
      errors: {},
      ignored: [
        'nope',
        'id__in',
        'name__ic',
        'owner__zz',
        'owner__gt',
        'owner__n__n',
        '__n',
        'protected',
        'protected__n',
        'port__empty',
        'size_bytes__empty',
        'files',
        'files__n',
        'size_bytes__ic',
        'server__name',
        'server__ic',
        'server_id__gt',
        'tags',
        'constructor',
        '__proto__',
      ],
    })
  })

  test.each<[ModelName, string, Omit<Filter, 'field'>]>([
    ['server', 'name__n=a&name__n=null', { lookup: 'exact', negated: true, values: ['a', null] }],
    ['server', 'name__ic=a%20&name__ic=b', { lookup: 'ic', values: ['a', 'b'] }],
    ['server', 'name__nic=a', { lookup: 'ic', negated: true, values: ['a'] }],
    ['server', 'name__ie=a&name__ie=null', { lookup: 'ie', values: ['a', null] }],
    ['server', 'name__nie=a', { lookup: 'ie', negated: true, values: ['a'] }],
    ['server', 'token_id__isw=a', { lookup: 'isw', values: ['a'] }],
    ['server', 'name__nisw=a', { lookup: 'isw', negated: true, values: ['a'] }],
    ['server', 'name__iew=a', { lookup: 'iew', values: ['a'] }],
    ['server', 'name__niew=a', { lookup: 'iew', negated: true, values: ['a'] }],
    ['server', 'name__regex=^a', { lookup: 'regex', values: ['^a'] }],
    ['server', 'name__iregex=^a', { lookup: 'iregex', values: ['^a'] }],
    ['server', 'name__empty=True', { lookup: 'empty', values: [true] }],
    ['server', 'status__empty=false', { lookup: 'empty', values: [false] }],
    ['snapshot', 'size_bytes__n=5', { lookup: 'exact', negated: true, values: [5] }],
    ['snapshot', 'backup_time__lt=2026-02-03', { lookup: 'lt', values: ['2026-02-03T00:00:00Z'] }],
    ['group', 'last_backup__gte=2026-02-03', { lookup: 'gte', values: ['2026-02-03T00:00:00Z'] }],
    ['task', 'created__gt=2026-02-03', { lookup: 'gt', values: ['2026-02-03T00:00:00Z'] }],
    ['job', 'last_updated__n=2026-02-03', { lookup: 'exact', negated: true, values: ['2026-02-03T00:00:00Z'] }],
    // Of several bounds the widest holds.
    ['server', 'port__gt=8010&port__gt=8008', { lookup: 'gt', values: [8008] }],
    ['server', 'id__lt=3&id__lt=5', { lookup: 'lt', values: [5] }],
    // A bound beyond what a column holds leaves out none or all of its numbers.
    ['snapshot', 'size_bytes__lt=1000.0&size_bytes__lt=', { lookup: 'lt', values: [1000] }],
    ['snapshot', 'size_bytes__lte=99999999999999999999', { lookup: 'lte', values: [Number.MAX_SAFE_INTEGER] }],
    ['snapshot', 'size_bytes__lt=99999999999999999999', { lookup: 'lte', values: [Number.MAX_SAFE_INTEGER] }],
    ['snapshot', 'size_bytes__gt=9007199254740992', { lookup: 'gt', values: [Number.MAX_SAFE_INTEGER] }],
    ['snapshot', 'size_bytes__gte=9007199254740992', { lookup: 'gt', values: [Number.MAX_SAFE_INTEGER] }],
    ['snapshot', 'size_bytes__gt=-9007199254740992', { lookup: 'gte', values: [Number.MIN_SAFE_INTEGER] }],
    ['snapshot', 'size_bytes__lte=-9007199254740992', { lookup: 'lt', values: [Number.MIN_SAFE_INTEGER] }],
    // A choice is looked up among the choices.
    ['server', 'status__n=unknown', { lookup: 'exact', negated: true, values: ['unknown'] }],
    ['server', 'status__ic=reachable', { lookup: 'exact', values: ['reachable', 'unreachable'] }],
    ['server', 'status__isw=reachable', { lookup: 'exact', values: ['reachable'] }],
    ['server', 'status__iew=reachable', { lookup: 'exact', values: ['reachable', 'unreachable'] }],
    ['server', 'status__ie=reachable&status__ie=unknown', { lookup: 'exact', values: ['reachable', 'unknown'] }],
    ['server', 'status__nic=reachable', { lookup: 'exact', negated: true, values: ['reachable', 'unreachable'] }],
    ['server', 'status__regex=reachable', { lookup: 'exact', values: ['reachable', 'unreachable'] }],
  ])('of %s by %s', (model, query, filter) => {
    const { errors, ignored } = read(model, query)
    expect({ errors, ignored }).toEqual({ errors: {}, ignored: [] })
    expect(filters(model, query)).toEqual([{ field: query.split('__')[0], ...filter }])
  })

  test.each<[ModelName, string, string, string]>([
    ['server', 'port__gt=x', 'port__gt', 'Enter a whole number.'],
    ['server', 'id__n=null', 'id__n', 'Enter a whole number.'],
    ['job', 'next_run__lt=soon', 'next_run__lt', 'Enter a valid date/time.'],
    ['job', 'next_run__gte=2026-01-02T06:04:05%2003:00', 'next_run__gte', 'Enter a valid date/time.'],
    ['server', 'status__ic=r', 'status__ic', 'Select a valid choice. r is not one of the available choices.'],
    ['server', 'status__n=', 'status__n', 'Select a valid choice.  is not one of the available choices.'],
    ['server', 'status__n=null', 'status__n', 'Select a valid choice. null is not one of the available choices.'],
    ['server', 'name__ic=a%00', 'name__ic', 'Null characters are not allowed.'],
    [
      'server',
      'name__ic=null',
      'name__ic',
      'null stands for no value and cannot be looked for in this way: filter with __empty.',
    ],
    [
      'server',
      'name__regex=(a)%5C1',
      'name__regex',
      'A regular expression cannot have references back to a group here.',
    ],
    ['snapshot', 'server_id__n=abc', 'server_id__n', '“abc” is not a valid value.'],
    ['snapshot', 'created_by_request=abc', 'created_by_request', 'Enter a valid UUID.'],
  ])('of %s is refused in %s', (model, query, field, message) => {
    expect(read(model, query).errors).toEqual({ [field]: [message] })
  })

  test('with more values than a statement should have is refused', () => {
    const query = Array.from({ length: 1001 }, (_, n) => `name__ic=${n}`).join('&')
    expect(read('server', query).errors).toEqual({ name__ic: ['At most 1000 values can be given.'] })
  })

  test.each(modelNames)('of %s has every suffix that NetBox gives a field of its type, and no other', (model) => {
    const all = [...new Set([...suffixesOf('text'), ...suffixesOf('integer'), 'in', 'any', ''])]
    for (const [name, field] of Object.entries(listFields(model))) {
      const known = all.filter((suffix) => read(model, `${name}__${suffix}=1`).ignored.length === 0)
      const expected = field.type === 'reference' ? ['n'] : suffixesOf(field.type)
      // `1` is none of the words that `empty` understands.
      expect([name, known.toSorted()]).toEqual([name, expected.filter((suffix) => suffix !== 'empty').toSorted()])
    }
  })

  test.each([
    ['created_by_request', '6f1c2d3e4f5a4b6c8d7e9f0a1b2c3d4e'],
    ['updated_by_request', '{6F1C2D3E-4F5A-4B6C-8D7E-9F0A1B2C3D4E}'],
    ['modified_by_request', 'x&modified_by_request=urn:uuid:6f1c2d3e-4f5a-4b6c-8d7e-9f0a1b2c3d4e'],
  ])('%s takes the last of several requests', (field, text) => {
    expect(filters('job', `${field}=${text}`)).toEqual([
      { field, lookup: 'exact', values: ['6f1c2d3e-4f5a-4b6c-8d7e-9f0a1b2c3d4e'] },
    ])
  })

  test.each<[ModelName, string]>([
    ['server', 'filter_id'],
    ['server', 'export'],
  ])('of %s by %s is not built, and refused under its own name', (model, parameter) => {
    const { errors, ignored } = read(model, `${parameter}=1`)
    expect(errors).toEqual({ [parameter]: [expect.stringContaining('is not offered yet')] })
    expect(ignored).toEqual([])
  })

  test('by a lookup without a value is none', () => {
    const query = 'name__isw=&port__gt=&name__empty=&name__regex=&created_by_request='
    expect(read('server', query)).toMatchObject({ errors: {}, ignored: [], query: { filters: [] } })
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
      'ordering=server,id,-server,server',
      [
        ['server', false],
        ['id', false],
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
  const faults = new Map([['[', 'brackets [] not balanced']])
  const resolve = (query: string) => resolveListQuery(read('snapshot', query), known, faults)
  const by = (...values: ReadonlyArray<number | null>) => [{ field: 'server', lookup: 'exact', values }]

  test.each([
    ['server=pbs-a', by(4)],
    ['server=4', by(4)],
    ['server=7', by(9)],
    ['server=pbs-a&server=null', by(4, null)],
    ['server_id=7&server_id=null', by(7, null)],
    ['server=pbs-a&server_id=7', [...by(4), ...by(7)]],
    ['server__n=pbs-a&server__n=null', by(4, null).map((filter) => ({ ...filter, negated: true }))],
    ['server_id__n=7', by(7).map((filter) => ({ ...filter, negated: true }))],
  ])('is found by %s', (query, filters) => {
    expect(resolve(query)).toMatchObject({ _tag: 'query', query: { filters } })
  })

  test.each([
    ['server=nope', { server: ['Select a valid choice. nope is not one of the available choices.'] }],
    ['server_id=999', { server_id: ['Select a valid choice. 999 is not one of the available choices.'] }],
    ['server__n=nope', { server__n: ['Select a valid choice. nope is not one of the available choices.'] }],
    ['server_id__n=999', { server_id__n: ['Select a valid choice. 999 is not one of the available choices.'] }],
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

  test('is looked for only when regular expressions are right too', () => {
    const query = 'owner__regex=[&comment__iregex=a&server=nope'
    expect(sentPatterns(read('snapshot', query))).toEqual(['[', 'a'])
    expect(resolve(query)).toEqual({
      _tag: 'rejected',
      body: {
        owner__regex: ['Enter a valid regular expression: brackets [] not balanced.'],
        server: ['Select a valid choice. nope is not one of the available choices.'],
      },
    })
  })

  test('is looked for with a few regular expressions at most', () => {
    const query = 'owner__regex=[&owner__regex=b&comment__iregex=c&comment__iregex=d&namespace__regex=e'
    const sentence = ['A request can have at most 4 regular expressions.']
    expect(sentPatterns(read('snapshot', query))).toEqual([])
    expect(resolve(query)).toEqual({
      _tag: 'rejected',
      body: { owner__regex: sentence, comment__iregex: sentence, namespace__regex: sentence },
    })
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
