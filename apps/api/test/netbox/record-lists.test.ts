import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'

// Lists that are no inventory have the grammar of sections 1 and 2 of the notes on NetBox's REST too.

const root = '/api/plugins/pbs'
let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const bodies: ReadonlyArray<readonly [string, object]> = [
    ['servers', { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }],
    ['datastores', { server: 1, name: 'tank', path: '/tank' }],
    ['branches', { name: 'Review of May', description: 'all of it' }],
    ['branches', { name: 'cleanup_1' }],
    ['sync-runs', {}],
    ['sync-runs', {}],
  ]
  for (const [path, body] of bodies) expect((await api.ask('POST', `${root}/${path}/`, { body })).status).toBe(201)
  await api.ask('POST', `${root}/sync-runs/1/cancel/`)
  await api.ask('PATCH', `${root}/datastores/1/`, { body: { comment: 'x' } })
  await api.ask('DELETE', `${root}/datastores/1/`)
})
afterAll(() => api.stop())

const get = (path: string) => api.ask('GET', `${root}/${path}`)
const ids = async (path: string) => {
  const { status, json } = await get(path)
  expect([path, status, json.count]).toEqual([path, 200, json.results.length])
  return json.results.map(({ id }: { id: number }) => id)
}

describe('2: the runs', () => {
  test.each([
    ['', [2, 1]],
    ['status=cancelled', [1]],
    ['status=cancelled&status=pending', [2, 1]],
    ['status__n=cancelled', [2]],
    ['trigger=manual&mode__n=light', [2, 1]],
    ['started__empty=true', [2, 1]],
    ['completed__empty=false', [1]],
    ['created__gte=2000-01-01&created__lt=2999-01-01', [2, 1]],
    ['created__gt=2999-01-01', []],
    ['user__ic=ADM', [2, 1]],
    ['user__nisw=adm', []],
    ['user__regex=%5Eadmin%24', [2, 1]],
    ['id__gt=1', [2]],
    ['cancel_requested=true', [1]],
    ['ordering=id', [1, 2]],
    ['ordering=completed', [1, 2]],
    ['ordering=-status,id', [2, 1]],
    ['ordering=nope', [2, 1]],
  ])('by %s', async (query, expected) => {
    expect(await ids(`sync-runs/?${query}`)).toEqual(expected)
  })
})

describe('2: the branches', () => {
  test.each([
    ['', [2, 1]],
    ['name__ic=MAY', [1]],
    ['name__ic=_', [2]],
    ['name=Review%20of%20May&name=cleanup_1', [2, 1]],
    ['name__iregex=%5Ereview', [1]],
    ['description__empty=true', [2]],
    ['kind=operator&status__n=merged', [2, 1]],
    ['merged_time__empty=true&conflict_count__lte=0', [2, 1]],
    ['revision__gt=9000', []],
    ['q=ALL&user__empty=false', [1]],
    ['run=7', []],
    ['ordering=name', [1, 2]],
  ])('by %s', async (query, expected) => {
    expect(await ids(`branches/?${query}`)).toEqual(expected)
  })
})

describe('2: the change log', () => {
  const entries = async (query: string) => {
    const { status, json } = await get(`changes/?${query}`)
    expect([query, status]).toEqual([query, 200])
    return json.results.map(
      (entry: { action: { value: string }; changed_object_type: string }) =>
        `${entry.action.value} ${entry.changed_object_type}`,
    )
  }

  test.each([
    [
      'changed_object_type=netbox_pbs.pbsdatastore',
      ['delete', 'update', 'create'].map((action) => `${action} netbox_pbs.pbsdatastore`),
    ],
    [
      'changed_object_type=netbox_pbs.pbsdatastore&ordering=time',
      ['create', 'update', 'delete'].map((action) => `${action} netbox_pbs.pbsdatastore`),
    ],
    [
      'changed_object_type=netbox_pbs.pbsdatastore&action__n=update&action__n=create',
      ['delete netbox_pbs.pbsdatastore'],
    ],
    ['object_repr__iew=/TANK&action=create', ['create netbox_pbs.pbsdatastore']],
    ['q=TANK&action=update', ['update netbox_pbs.pbsdatastore']],
    [
      'changed_object_type=netbox_pbs.pbsserver&changed_object_id=1&user_name__ie=ADMIN&run__empty=true',
      ['create netbox_pbs.pbsserver'],
    ],
    ['time_before=2000-01-01', []],
    ['time__lt=2000-01-01', []],
    ['action=delete&time_after=2000-01-01&time__lte=2999-01-01', ['delete netbox_pbs.pbsdatastore']],
  ])('by %s', async (query, expected) => {
    expect(await entries(query)).toEqual(expected)
  })

  test('by a request, as a UUID is written anywhere', async () => {
    const { json } = await get('changes/?action=delete')
    const request: string = json.results[0].request_id
    expect(await entries(`request_id=${request.replaceAll('-', '').toUpperCase()}`)).toEqual([
      'delete netbox_pbs.pbsdatastore',
    ])
    expect(await entries(`request_id__n=${request}&action=delete`)).toEqual([])
  })
})

test('2: the changes of a branch', async () => {
  const headers = { 'X-NetBox-Branch': (await get('branches/1/')).json.schema_id }
  const body = { server: 1, name: 'Pool', path: '/pool' }
  expect((await api.ask('POST', `${root}/datastores/`, { body, headers })).status).toBe(201)
  const named = async (query: string) =>
    (await get(`branches/1/changes/?${query}`)).json.results.map(
      ({ object_repr }: { object_repr: string }) => object_repr,
    )
  expect(await named('object_repr__ic=POOL&action=create&object_id__gt=0')).toEqual(['pbs-a/Pool'])
  expect(await named('object_type=netbox_pbs.pbsdatastore')).toEqual(['pbs-a/Pool'])
  expect(await named('object_repr__n=pbs-a/Pool')).toEqual([])
  expect(await named('action__n=create')).toEqual([])
})

test.each([
  ['sync-runs/?status=late', { status: ['Select a valid choice. late is not one of the available choices.'] }],
  ['sync-runs/?created__gt=soon&id=x', { created__gt: ['Enter a valid date/time.'], id: ['Enter a whole number.'] }],
  ['branches/?name__regex=[', { name__regex: ['Enter a valid regular expression: brackets [] not balanced.'] }],
  ['changes/?request_id=abc', { request_id: ['Enter a valid UUID.'] }],
  ['changes/?time_after=soon', { time_after: ['Enter a valid date/time.'] }],
])('2: a bad value is a 400 under the parameter as sent: %s', async (path, body) => {
  const { status, json } = await get(path)
  expect([status, json]).toEqual([400, body])
})

test.each([
  ['brief=1', ['id', 'url', 'display']],
  ['fields=id,status,nope', ['id', 'status']],
])('1: %s shows exactly these fields of each run', async (query, names) => {
  for (const row of (await get(`sync-runs/?${query}`)).json.results) expect(Object.keys(row)).toEqual(names)
})

test('1: omit leaves fields of branches out', async () => {
  const { json } = await get('branches/?omit=name,user')
  expect(json.results[0]).toHaveProperty('kind')
  expect(json.results[0]).not.toHaveProperty('name')
})
