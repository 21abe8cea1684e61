import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { restPaths } from '../src/routes/rest-paths.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
let api: TestApi

/** Every list of the API: its path in the document and the query parameters that are documented. */
const lists = restPaths.flatMap(({ routes }) =>
  routes.flatMap(({ config }) =>
    config.method === 'get' && JSON.stringify(config.responses[200] ?? {}).includes('List"')
      ? [
          {
            path: config.path.replace(/\{\w+\}/g, '1'),
            documented: parametersOf(config).filter(({ in: place }) => place === 'query'),
          },
        ]
      : [],
  ),
)

interface Parameter {
  readonly name: string
  readonly in: string
  readonly schema: { readonly type?: string }
}

function parametersOf(config: object): ReadonlyArray<Parameter> {
  return 'parameters' in config ? (config.parameters as ReadonlyArray<Parameter>) : []
}

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const bodies: ReadonlyArray<readonly [string, object]> = [
    ['servers', { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }],
    ['datastores', { server: 1, name: 'tank', path: '/tank' }],
    ['snapshots', { server: 1, datastore_name: 'tank', backup_type: 'vm', backup_id: '1', backup_time: '2026-05-01' }],
    ['branches', { name: 'review' }],
    ['sync-runs', {}],
  ]
  for (const [path, body] of bodies) expect((await api.ask('POST', `${root}/${path}/`, { body })).status).toBe(201)
})
afterAll(() => api.stop())

test('every list is among those that are tried', () => {
  expect(lists.map(({ path }) => path.replace(`${root}/`, ''))).toEqual([
    'servers/1/costs/',
    'servers/',
    'datastores/',
    'namespaces/',
    'groups/',
    'snapshots/',
    'jobs/',
    'tasks/',
    'datastores/1/usage/',
    'branches/',
    'branches/1/changes/',
    'branches/1/conflicts/',
    'changes/',
    'sync-runs/',
    'sync-runs/1/scopes/',
    'sync-runs/1/jobs/',
    'sync-runs/1/held/',
    '/api/users/tokens/',
  ])
})

describe.each(lists)('$path', ({ path, documented }) => {
  test('names what means nothing to it, and answers', async () => {
    const { status, headers } = await api.ask('GET', `${path}?nope=1&na%20me__zz=2&constructor=3&__proto__=4`)
    expect([status, headers.get('x-ignored-parameters')]).toEqual([200, 'nope, na%20me__zz, constructor, __proto__'])
  })

  test('names a thousand ignored parameters within what a client reads', async () => {
    const query = Array.from({ length: 1000 }, (_, n) => `n%FF${n}=1`).join('&')
    const { status, headers } = await api.ask('GET', `${path}?${query}`)
    expect([status, (headers.get('x-ignored-parameters') ?? '').length <= 4000]).toEqual([200, true])
  })

  test.each(['tag', 'tag__n', 'tag_id', 'cf_site', 'cf_site__ic', 'export', 'filter_id', 'created_by_request'])(
    'refuses %s, which NetBox would filter by',
    async (parameter) => {
      const { status, json } = await api.ask('GET', `${path}?${parameter}=1`)
      expect([status, json]).toEqual([400, { [parameter]: [expect.stringContaining(parameter)] }])
    },
  )

  test('refuses a lookup of each documented filter under the name as sent', async () => {
    const noFilters = ['limit', 'offset', 'start', 'ordering', 'q', 'brief', 'fields', 'omit', '_branch']
    // NetBox has no lookups of booleans.
    const filters = documented.filter(({ name, schema }) => !noFilters.includes(name) && schema.type !== 'boolean')
    for (const { name } of filters) {
      const { status, json } = await api.ask('GET', `${path}?${name}__n=1`)
      expect([status, json]).toEqual([
        400,
        { [`${name}__n`]: [expect.stringContaining(`__n of ${name} is not offered`)] },
      ])
    }
  })

  test('reads every parameter that it documents', async () => {
    for (const { name } of documented) {
      const { headers } = await api.ask('GET', `${path}?${name}=`)
      expect([name, headers.get('x-ignored-parameters')]).toEqual([name, null])
    }
  })
})

test.each([
  ['sync-runs/?user=eve', 'user', 'cannot be filtered by user yet'],
  ['sync-runs/?q=eve', 'q', 'cannot be filtered by q yet'],
  ['sync-runs/?created__gte=2026-01-01', 'created__gte', 'The lookup __gte of created is not offered yet'],
  ['sync-runs/?start=0', 'start', 'This list has no cursor'],
  ['sync-runs/?status=late', 'status', 'Select a valid choice. late is not one of the available choices.'],
  ['sync-runs/1/scopes/?outcome=failed', 'outcome', 'cannot be filtered by outcome yet'],
  ['changes/?time=2026-01-01', 'time', 'cannot be filtered by time yet'],
  ['branches/?conflict_count__gt=0', 'conflict_count__gt', 'The lookup __gt of conflict_count is not offered yet'],
  ['../../users/tokens/?write_enabled=true', 'write_enabled', 'cannot be filtered by write_enabled yet'],
  ['../../users/tokens/?key=%00', 'key', 'Null characters are not allowed.'],
])('%s is refused', async (path, field, sentence) => {
  const { pathname, search } = new URL(`${api.url}${root}/${path}`)
  const { status, json } = await api.ask('GET', `${pathname}${search}`)
  expect([status, json]).toEqual([400, { [field]: [expect.stringContaining(sentence)] }])
})

test('a lookup is refused in a branch as in main', async () => {
  const { json: branch } = await api.ask('GET', `${root}/branches/1/`)
  const headers = { 'X-NetBox-Branch': branch.schema_id }
  const { status, json } = await api.ask('GET', `${root}/servers/?name__isw=old-`, { headers })
  expect([status, json]).toEqual([400, { name__isw: [expect.stringContaining('is not offered yet')] }])
})

test('the list of runs is filtered by status and trigger', async () => {
  const { json: cancelled } = await api.ask('POST', `${root}/sync-runs/`, { body: {} })
  await api.ask('POST', `${root}/sync-runs/${cancelled.id}/cancel/`)
  const ids = async (query: string) => {
    const { json } = await api.ask('GET', `${root}/sync-runs/?${query}`)
    return [json.count, json.results.map(({ id }: { id: number }) => id)]
  }
  expect(await ids('status=cancelled')).toEqual([1, [cancelled.id]])
  expect(await ids('status=pending&status=cancelled')).toEqual([2, [cancelled.id, 1]])
  expect(await ids('status=failed')).toEqual([0, []])
  expect(await ids('trigger=manual&status=pending')).toEqual([1, [1]])
  expect(await ids('trigger=schedule')).toEqual([0, []])
})
