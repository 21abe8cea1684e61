import { naturalKey } from '@netbox-pbs/core'
import { Branches, ChangeSets } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from './support/test-api.ts'

const list = '/api/plugins/pbs/branches/'
let api: TestApi
let tank: Answer
let id = 0
let one = ''

/** Stages, as a run does, another comment and path for the datastore `tank`. */
const stage = Effect.gen(function* () {
  const branches = yield* Branches
  const changeSets = yield* ChangeSets
  const { id: branch } = yield* branches.create({
    name: 'pbs-sync-7',
    kind: 'sync',
    description: '',
    user: '',
    runId: 7,
    review: false,
  })
  const scope = { resource: 'datastores', server: 'pbs-a' } as const
  const changeSet = yield* changeSets.open({ runId: 7, server: 'pbs-a' })
  const row = { server: tank.json.server.id, name: 'tank' }
  const fields = [
    { field: 'comment', base: '', value: 'source' },
    { field: 'path', base: '/mnt/tank', value: '/mnt/new' },
  ]
  const key = naturalKey('datastore', row)
  const changes = [{ _tag: 'update' as const, id: tank.json.id, key, fields, appears: false, broken: [] }]
  yield* changeSets.append({ changeSet, scope, model: 'datastore', changes })
  const landing = {
    changeSet,
    scope,
    runId: 7,
    at: '2026-06-01T00:00:00Z',
    view: null,
    held: null,
    listed: true,
    record: null,
  }
  yield* changeSets.stage({ ...landing, branch })
  return branch
})

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const body = { name: 'pbs-a', host: 'pbs.example.org', token_id: 'sync@pbs!main' }
  const server = await api.ask('POST', '/api/plugins/pbs/servers/', { body })
  const store = { server: server.json.id, name: 'tank', path: '/mnt/tank' }
  tank = await api.ask('POST', '/api/plugins/pbs/datastores/', { body: store })
  id = await api.run(stage)
  one = `${list}${id}/`
  await api.ask('PATCH', `/api/plugins/pbs/datastores/${tank.json.id}/`, { body: { comment: 'hand' } })
})
afterAll(() => api.stop())

test('a branch is listed and read, with the run that opened it', async () => {
  const { json } = await api.ask('GET', list)
  expect(json).toMatchObject({
    count: 1,
    results: [{ id, name: 'pbs-sync-7', display: 'pbs-sync-7', change_count: 1 }],
  })
  expect((await api.ask('GET', one)).json).toEqual(json.results[0])
  expect(json.results[0]).toMatchObject({
    url: `${api.url}${one}`,
    status: { value: 'open', label: 'Open' },
    kind: { value: 'sync', label: 'Sync' },
    run: { id: 7, display: 'Run 7' },
    merged_time: null,
  })
  expect((await api.ask('GET', `${list}?status=merged`)).json.count).toBe(0)
  expect((await api.ask('GET', `${list}?status=open`)).json.count).toBe(1)
  expect((await api.ask('GET', `${list}?status=done`)).json).toEqual({
    status: ['Select a valid choice. done is not one of the available choices.'],
  })
  expect((await api.ask('GET', `${list}999/`)).json).toEqual({ detail: 'No Branch matches the given query.' })
})

test('its name and description can change', async () => {
  expect((await api.ask('PATCH', one, { body: { description: 'look at tank' } })).json).toMatchObject({
    name: 'pbs-sync-7',
    description: 'look at tank',
  })
  expect(await api.ask('PATCH', one, { body: { name: ' ', status: 'merged' } })).toMatchObject({
    status: 400,
    json: { name: ['This field may not be blank.'], status: ['There is no such field.'] },
  })
})

test('its changes are listed with the values before and after', async () => {
  expect((await api.ask('GET', `${one}changes/`)).json).toMatchObject({
    count: 1,
    results: [
      {
        object_type: 'netbox_pbs.pbsdatastore',
        object_id: tank.json.id,
        object_repr: 'pbs-a/tank',
        action: { value: 'update', label: 'Update' },
        prechange_data: { comment: '', path: '/mnt/tank' },
        postchange_data: { comment: 'source', path: '/mnt/new' },
      },
    ],
  })
})

test('it is compared with main, does not merge over a conflict, and merges as that is answered', async () => {
  expect((await api.ask('POST', `${one}sync/`)).json).toMatchObject({
    status: { value: 'in_review' },
    conflict_count: 1,
  })
  const { json: conflicts } = await api.ask('GET', `${one}conflicts/?kind=update_update&field=comment&resolved=false`)
  expect(conflicts).toMatchObject({
    count: 1,
    results: [
      { display: 'pbs-a/tank: comment', base: '', main: 'hand', branch: 'source', resolution: null, resolved_by: '' },
    ],
  })
  expect(conflicts.results[0].scope).toEqual({
    display: 'datastores of pbs-a',
    resource: 'datastores',
    server: 'pbs-a',
  })
  const refused = await api.ask('POST', `${one}merge/`)
  expect([refused.status, refused.json]).toEqual([
    409,
    {
      detail: `branch ${id} has 1 conflicts without an answer: resolve them, then merge again.`,
      conflicts: conflicts.results,
    },
  ])
  const answer = (body: object) => api.ask('POST', `${one}resolve/`, { body })
  expect((await answer({ resolution: 'main', conflicts: [conflicts.results[0].id] })).json).toMatchObject({
    resolved: 1,
    status: { value: 'ready' },
  })
  expect((await answer({ resolution: null, all: true })).json).toMatchObject({
    resolved: 1,
    status: { value: 'in_review' },
  })
  expect((await answer({ resolution: 'value', value: 'both', kind: 'update_update' })).json).toMatchObject({
    resolved: 1,
  })
  expect((await api.ask('GET', `${one}conflicts/`)).json.results).toMatchObject([
    { resolution: { value: 'value' }, value: 'both', resolved_by: 'admin', resolved_time: expect.any(String) },
  ])

  const dry = await api.ask('POST', `${one}merge/`, { body: { commit: false } })
  expect(dry.json).toMatchObject({ commit: false, merged: { created: 0, updated: 1, deleted: 0, skipped: 0 } })
  const store = `/api/plugins/pbs/datastores/${tank.json.id}/`
  expect((await api.ask('GET', store)).json).toMatchObject({ comment: 'hand', path: '/mnt/tank' })
  expect((await api.ask('POST', `${one}merge/`)).json).toMatchObject({
    commit: true,
    status: { value: 'merged' },
    merged_by: 'admin',
    merged: dry.json.merged,
  })
  expect((await api.ask('GET', store)).json).toMatchObject({ comment: 'both', path: '/mnt/new' })
  for (const action of ['merge', 'sync', 'close']) {
    expect(await api.ask('POST', `${one}${action}/`)).toMatchObject({
      status: 409,
      json: { detail: `branch ${id} is merged: only an open branch can be changed or merged.` },
    })
  }
})

test.each([
  ['resolve', {}, { resolution: [expect.any(String)] }],
  [
    'resolve',
    { resolution: 'main' },
    { conflicts: ['Name conflicts, or a kind, object_type or field of them, or send "all": true.'] },
  ],
  ['resolve', { resolution: 'value', all: true }, { value: ['This field is required.'] }],
  ['resolve', { resolution: 'main', value: 1, all: true }, { value: ['Only the resolution "value" has one.'] }],
  ['merge', { commit: 'no' }, { commit: ['Must be a valid boolean.'] }],
  ['merge', { comit: false }, { comit: ['There is no such field.'] }],
])('%s refuses %j', async (action, body, errors) => {
  const { status, json } = await api.ask('POST', `${one}${action}/`, { body })
  expect([status, json]).toEqual([400, errors])
})

test.each([
  ['GET', `?_branch=abcd1234`, {}],
  ['GET', '', { 'X-NetBox-Branch': 'abcd1234' }],
  ['POST', '', { 'X-NetBox-Branch': 'abcd1234' }],
])('%s with a branch is refused instead of going to main', async (method, query, headers) => {
  const { status, json } = await api.ask(method, `/api/plugins/pbs/datastores/${query}`, { headers })
  expect([status, json.detail]).toEqual([400, expect.stringContaining('inside a branch')])
})
