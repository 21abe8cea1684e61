import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from '../support/test-api.ts'

// Users and tokens are listed by the grammar of sections 1 and 2 of the notes on NetBox's REST.

const users = '/api/users/users/'
const tokens = '/api/users/tokens/'
const password = 'correct horse battery'

let api: TestApi
/** A token of a viewer. */
let viewer: string

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const people = [
    { username: 'Ada_L', first_name: 'Ada', last_name: 'Lovelace', email: 'ada@example.com', role: 'operator' },
    { username: 'grace', first_name: 'Grace', email: 'grace@example.org', is_active: false },
    { username: 'linus', servers: [] },
  ]
  for (const person of people)
    expect((await api.ask('POST', users, { body: { password, ...person } })).status).toBe(201)
  const made: ReadonlyArray<object> = [
    { user: 2, description: 'backup of Ada', expires: '2999-01-01' },
    { user: 2, version: 1, write_enabled: false },
    { user: 4, description: 'a reader', enabled: false },
  ]
  for (const token of made) expect((await api.ask('POST', tokens, { body: token })).status).toBe(201)
  const { json } = await api.ask('POST', tokens, { body: { user: 4, description: 'own' } })
  viewer = `nbt_${json.key}.${json.token}`
})
afterAll(() => api.stop())

const listed = (path: string, name: string, { status, json }: Answer): unknown => {
  expect([path, status, json.count]).toEqual([path, 200, json.results.length])
  return json.results.map((record: Record<string, unknown>) => record[name])
}

describe('2: the users', () => {
  test.each([
    ['', ['Ada_L', 'admin', 'grace', 'linus']],
    ['username=grace&username=linus', ['grace', 'linus']],
    ['username__n=grace&username__n=linus', ['Ada_L', 'admin']],
    ['username__ic=_', ['Ada_L']],
    ['username__ie=ADA_L', ['Ada_L']],
    ['username__nisw=a', ['grace', 'linus']],
    ['username__regex=%5E%5Ba-z%5D%2B%24&role=viewer', ['grace', 'linus']],
    ['first_name__empty=true', ['admin', 'linus']],
    ['last_name__iew=LACE', ['Ada_L']],
    ['email__iew=.ORG', ['grace']],
    ['role=operator&role=admin', ['Ada_L', 'admin']],
    ['role__n=viewer', ['Ada_L', 'admin']],
    ['is_active=False', ['grace']],
    ['has_password=false', ['admin']],
    ['id__gte=3', ['grace', 'linus']],
    ['id__lt=2', ['admin']],
    ['date_joined__gt=2000-01-01&date_joined__lte=2999-01-01&id__n=1', ['Ada_L', 'grace', 'linus']],
    ['last_login__empty=false', []],
    ['q=EXAMPLE', ['Ada_L', 'grace']],
    ['q=ada_', ['Ada_L']],
    ['q=grace+grace', []],
    ['ordering=-username', ['linus', 'grace', 'admin', 'Ada_L']],
    ['ordering=role,-id', ['admin', 'Ada_L', 'linus', 'grace']],
    ['ordering=password_hash', ['Ada_L', 'admin', 'grace', 'linus']],
  ])('by %s', async (query, expected) => {
    expect(listed(query, 'username', await api.ask('GET', `${users}?${query}`))).toEqual(expected)
  })
})

describe('2: the tokens', () => {
  test.each([
    ['', [5, 4, 3, 2, 1]],
    ['user=Ada_L', [3, 2]],
    ['user__n=Ada_L&user__n=admin', [5, 4]],
    ['user_id=1&user_id=4', [5, 4, 1]],
    ['user_id__n=4', [3, 2, 1]],
    ['version=1', [3]],
    ['version__n=1&user=linus', [5, 4]],
    ['key__empty=true', [3]],
    ['key__isw=TESTTOKEN', [1]],
    ['key=testtoken001&version=2', [1]],
    ['description__ic=READ', [4]],
    ['description__empty=true', [3, 1]],
    ['expires__empty=false', [2]],
    ['expires__gt=2998-12-31T23:59:59Z', [2]],
    ['created__lt=2000-01-01', []],
    ['last_used__empty=false', [1]],
    ['enabled=false', [4]],
    ['write_enabled=False', [3]],
    ['q=ADA', [3, 2]],
    ['q=own', [5]],
    ['ordering=id', [1, 2, 3, 4, 5]],
    ['ordering=user,-id', [3, 2, 1, 5, 4]],
    ['ordering=expires,id', [2, 1, 3, 4, 5]],
  ])('by %s', async (query, expected) => {
    expect(listed(query, 'id', await api.ask('GET', `${tokens}?${query}`))).toEqual(expected)
  })
})

test.each([
  [users, 'id=abc', { id: ['Enter a whole number.'] }],
  [users, 'role=root', { role: ['Select a valid choice. root is not one of the available choices.'] }],
  [
    users,
    'date_joined__gt=soon&username__regex=%5B',
    {
      date_joined__gt: ['Enter a valid date/time.'],
      username__regex: [expect.stringContaining('valid regular expression')],
    },
  ],
  [users, 'username=%00', { username: ['Null characters are not allowed.'] }],
  [tokens, 'user=absent', { user: ['Select a valid choice. absent is not one of the available choices.'] }],
  [tokens, 'user_id__n=999', { user_id__n: ['Select a valid choice. 999 is not one of the available choices.'] }],
  [tokens, 'user_id=abc', { user_id: ['“abc” is not a valid value.'] }],
  [tokens, 'version=3', { version: ['Select a valid choice. 3 is not one of the available choices.'] }],
  [tokens, 'key__ic=null', { key__ic: [expect.stringContaining('filter with __empty')] }],
  [tokens, 'start=-1', ["Invalid 'start' parameter: must be a non-negative integer."]],
  [users, 'start=0&offset=1', ["'start' and 'offset' are mutually exclusive."]],
  [users, 'start=0&ordering=id', ['Ordering cannot be specified in conjunction with cursor-based pagination.']],
])('2: %s?%s is a 400', async (path, query, body) => {
  const { status, json } = await api.ask('GET', `${path}?${query}`)
  expect([status, json]).toEqual([400, body])
})

test('2: what NetBox passes over is named', async () => {
  const { status, headers, json } = await api.ask('GET', `${users}?is_active=1&id__in=1,2&is_active__n=true`)
  expect([status, json.count, headers.get('x-ignored-parameters')]).toEqual([200, 4, 'is_active, id__in, is_active__n'])
})

describe('1: pages', () => {
  test('by offset, with links to their neighbours', async () => {
    const { json } = await api.ask('GET', `${users}?limit=1&offset=1&role__n=viewer`)
    expect(json).toMatchObject({
      ...{ count: 2, next: null, previous: `${api.url}${users}?limit=1&role__n=viewer` },
      results: [{ username: 'admin' }],
    })
  })

  test('from a cursor, by id and without a count', async () => {
    const first = (await api.ask('GET', `${tokens}?start=2&limit=2&user__n=admin`)).json
    expect([first.count, first.previous, listedIds(first)]).toEqual([null, null, [2, 3]])
    expect(first.next).toBe(`${api.url}${tokens}?limit=2&start=4&user__n=admin`)
    const next = (await api.ask('GET', first.next.slice(api.url.length))).json
    expect([listedIds(next), next.next]).toEqual([[4, 5], `${api.url}${tokens}?limit=2&start=6&user__n=admin`])
    const last = (await api.ask('GET', next.next.slice(api.url.length))).json
    expect([listedIds(last), last.next]).toEqual([[], null])
    // The link is made of ids, also where they are not shown.
    const named = (await api.ask('GET', `${users}?start=0&limit=3&fields=username`)).json
    expect(named).toEqual({
      ...{ count: null, next: `${api.url}${users}?fields=username&limit=3&start=4`, previous: null },
      results: [{ username: 'admin' }, { username: 'Ada_L' }, { username: 'grace' }],
    })
  })
})

const listedIds = ({ results }: { results: ReadonlyArray<{ id: number }> }) => results.map(({ id }) => id)

describe('1: the fields of an object', () => {
  test.each([
    [users, 'brief=1', ['id', 'url', 'display', 'username']],
    [users, 'fields=username,nope,id', ['id', 'username']],
    [tokens, 'brief=1', ['id', 'url', 'display', 'version', 'key', 'description', 'enabled', 'write_enabled']],
    [tokens, 'fields=bogus', []],
  ])('%s?%s', async (path, query, fields) => {
    const { json } = await api.ask('GET', `${path}?${query}&limit=1`)
    expect(Object.keys(json.results[0])).toEqual(fields)
  })

  test('but those left out', async () => {
    const [whole] = (await api.ask('GET', `${users}?limit=1`)).json.results
    const { email: _, groups: __, ...rest } = whole
    expect((await api.ask('GET', `${users}?limit=1&omit=email,groups`)).json.results).toEqual([rest])
  })
})

describe('5: others than admins', () => {
  const ask = (path: string) => api.ask('GET', path, { token: viewer })

  test.each(['', 'id__gte=0', 'id__n=99', 'q=a', 'q=linus', 'username__n=x', 'ordering=id'])(
    'find their own user only, by %j too',
    async (query) => {
      const { results } = (await ask(`${users}?${query}`)).json
      for (const { username } of results) expect(username).toBe('linus')
    },
  )

  test.each([
    [users, 'start=0', [4]],
    [users, 'id=1', []],
    [tokens, 'start=0', [4, 5]],
    [tokens, 'id__lt=4', []],
    [tokens, 'user_id=4&ordering=id', [4, 5]],
    [tokens, 'user__n=linus', []],
  ])('at %s?%s', async (path, query, ids) => {
    expect(listedIds((await ask(`${path}?${query}`)).json)).toEqual(ids)
  })

  test.each(['user=admin', 'user_id=1', 'user__n=Ada_L'])('cannot learn by %s whether a user exists', async (query) => {
    const absent = await ask(`${tokens}?${query.replace(/=.*/, query.includes('_id') ? '=999' : '=absent')}`)
    const hidden = await ask(`${tokens}?${query}`)
    const [name, value = ''] = query.split('=')
    expect([hidden.status, hidden.json]).toEqual([
      400,
      { [name ?? '']: [`Select a valid choice. ${value} is not one of the available choices.`] },
    ])
    expect(absent.status).toBe(400)
  })
})
