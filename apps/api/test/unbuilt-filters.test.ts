import { modelNames, registry } from '@netbox-pbs/core'
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
  readonly schema: { readonly type?: string; readonly items?: { readonly enum?: ReadonlyArray<string> } }
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
    'keys/',
    'findings/',
    'insights/nights/',
    'guests/',
    'snapshots/1/copies/',
    'copy-ledger/',
    'drills/',
    'objectives/',
    'breaches/',
    '/api/users/tokens/',
    '/api/users/users/',
    'deliveries/',
    '/api/extras/webhooks/',
    '/api/extras/event-rules/',
    '/api/extras/tags/',
    '/api/extras/custom-fields/',
    '/api/extras/custom-field-choice-sets/',
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

  const ofRows = modelNames.some((model) => path === `${root}/${registry[model].path}/`)
  const unbuilt = [...(ofRows ? [] : ['tag', 'tag__n', 'tag_id', 'cf_site', 'cf_site__ic']), 'export', 'filter_id']
  // A record may have a field of that name: the tag of an objective.
  test.each(unbuilt.filter((parameter) => documented.every(({ name }) => name !== parameter)))(
    'refuses %s, which NetBox would filter by',
    async (parameter) => {
      const { status, json } = await api.ask('GET', `${path}?${parameter}=1`)
      expect([status, json]).toEqual([400, { [parameter]: [expect.stringContaining(parameter)] }])
    },
  )

  test('reads or refuses a lookup of each documented filter, and never passes over one', async () => {
    const noFilters = ['limit', 'offset', 'start', 'ordering', 'q', 'brief', 'fields', 'omit', 'export', '_branch']
    // NetBox has no lookups of booleans, and of requests.
    const filters = documented.filter(
      ({ name, schema }) =>
        !noFilters.includes(name) && !name.includes('__') && !name.endsWith('_by_request') && schema.type !== 'boolean',
    )
    for (const { name } of filters) {
      const { headers } = await api.ask('GET', `${path}?${name}__n=1`)
      expect([name, headers.get('x-ignored-parameters')]).toEqual([name, null])
    }
  })

  test('reads every parameter that it documents', async () => {
    // A blank value is no filter, but of a choice none of its choices, and of a server or tag none of them.
    const value = ({ name, schema }: Parameter) =>
      schema.items?.enum?.[0] ?? (/^(server|tag)(?:_id)?(?:__n|__any)?$/.test(name) ? 'null' : '')
    const query = documented
      .filter(({ name }) => name !== 'start' && name !== '_branch')
      .map((parameter) => `${parameter.name}=${value(parameter)}`)
    const { status, headers } = await api.ask('GET', `${path}?${query.join('&')}`)
    expect([status, headers.get('x-ignored-parameters')]).toEqual([200, null])
  })
})

test.each([
  ['sync-runs/?error=eve', 'error', 'cannot be filtered by error yet'],
  ['sync-runs/?q=eve', 'q', 'cannot be filtered by q yet'],
  ['sync-runs/?rows_read__gte=1', 'rows_read__gte', 'cannot be filtered by rows_read__gte yet'],
  ['sync-runs/1/jobs/?start=0', 'start', 'This list has no cursor'],
  ['sync-runs/?status=late', 'status', 'Select a valid choice. late is not one of the available choices.'],
  ['sync-runs/1/scopes/?outcome=failed', 'outcome', 'cannot be filtered by outcome yet'],
  ['changes/?counts=1', 'counts', 'cannot be filtered by counts yet'],
  [
    'changes/?changed_object_type__n=dcim.site',
    'changed_object_type__n',
    'cannot be filtered by changed_object_type__n',
  ],
  ['branches/?change_count__gt=0', 'change_count__gt', 'cannot be filtered by change_count__gt yet'],
  ['branches/?created_by_request=1', 'created_by_request', 'cannot be filtered by created_by_request yet'],
  ['../../users/tokens/?allowed_ips=::1', 'allowed_ips', 'cannot be filtered by allowed_ips yet'],
  ['../../users/users/?is_superuser=true', 'is_superuser', 'cannot be filtered by is_superuser yet'],
  ['../../users/users/?group_id=1', 'group_id', 'cannot be filtered by group_id yet'],
  ['../../users/tokens/?key=%00', 'key', 'Null characters are not allowed.'],
])('%s is refused', async (path, field, sentence) => {
  const { pathname, search } = new URL(`${api.url}${root}/${path}`)
  const { status, json } = await api.ask('GET', `${pathname}${search}`)
  expect([status, json]).toEqual([400, { [field]: [expect.stringContaining(sentence)] }])
})

test('a lookup is read in a branch as in main', async () => {
  const { json: branch } = await api.ask('GET', `${root}/branches/1/`)
  const headers = { 'X-NetBox-Branch': branch.schema_id }
  await api.ask('POST', `${root}/servers/`, {
    headers,
    body: { name: 'old-b', host: '192.0.2.2', token_id: 'a@pbs!b' },
  })
  const { json } = await api.ask('GET', `${root}/servers/?name__isw=OLD-`, { headers })
  expect(json.results.map(({ name }: { name: string }) => name)).toEqual(['old-b'])
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
