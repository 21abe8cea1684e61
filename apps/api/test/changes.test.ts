import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from './support/test-api.ts'

const list = '/api/plugins/pbs/changes/'

let api: TestApi
let server: Answer
let made: Answer
let changed: Answer
let deleted: Answer

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const body = { name: 'pbs-a', host: 'pbs.example.org', token_id: 'sync@pbs!main', token_secret: 'never-in-the-log' }
  server = await api.ask('POST', '/api/plugins/pbs/servers/', { body })
  const store = { server: server.json.id, name: 'tank', path: '/mnt/tank' }
  made = await api.ask('POST', '/api/plugins/pbs/datastores/', { body: store })
  const one = `/api/plugins/pbs/datastores/${made.json.id}/`
  changed = await api.ask('PATCH', one, { body: { comment: 'big', path: '/mnt/tank' } })
  await api.ask('PATCH', one, { body: { used_bytes: 5 } })
  await api.ask('POST', '/api/plugins/pbs/datastores/', { body: store })
  deleted = await api.ask('DELETE', one)
})
afterAll(() => api.stop())

const requestOf = (answer: Answer) => answer.headers.get('x-request-id')
const titles = async (query: string) => {
  const { status, json } = await api.ask('GET', `${list}?${query}`)
  expect(status).toBe(200)
  return json.results.map(
    (entry: { action: { value: string }; object_repr: string }) => `${entry.action.value} ${entry.object_repr}`,
  )
}
const all = [
  'delete pbs-a/tank',
  'update pbs-a/tank',
  'create pbs-a/tank',
  'create pbs-a',
  'create testtoken001 (admin)',
]

describe('the change log', () => {
  test('has every write that changed something, newest first, under the id of its request', async () => {
    expect([server, made, changed, deleted].map(({ status }) => status)).toEqual([201, 201, 200, 204])
    const { json } = await api.ask('GET', list)
    expect(json).toMatchObject({ count: 5, next: null, previous: null })
    expect(json.results.map((entry: { request_id: string }) => entry.request_id)).toEqual([
      ...[deleted, changed, made, server].map(requestOf),
      expect.any(String),
    ])
    expect(await titles('')).toEqual(all)
  })

  test("answers an entry in the shape of NetBox's ObjectChange", async () => {
    const { json: page } = await api.ask('GET', `${list}?action=update`)
    const [entry] = page.results
    expect(entry).toEqual({
      id: expect.any(Number),
      url: `${api.url}${list}${entry.id}/`,
      display: 'Datastore pbs-a/tank updated by admin',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/),
      user_name: 'admin',
      message: '',
      request_id: requestOf(changed),
      run: null,
      branch: null,
      action: { value: 'update', label: 'Updated' },
      changed_object_type: 'netbox_pbs.pbsdatastore',
      changed_object_id: made.json.id,
      object_repr: 'pbs-a/tank',
      prechange_data: { comment: '' },
      postchange_data: { comment: 'big' },
      counts: null,
    })
    expect((await api.ask('GET', `${list}${entry.id}/`)).json).toEqual(entry)
  })

  test('has a server that was connected as one creation, without its secret', async () => {
    const answer = await api.ask('GET', `${list}?changed_object_type=netbox_pbs.pbsserver`)
    expect(answer.json.results).toMatchObject([
      {
        action: { value: 'create', label: 'Created' },
        prechange_data: {},
        postchange_data: { name: 'pbs-a', host: 'pbs.example.org', endpoint_state: 'connected', tags: [] },
      },
    ])
    expect(answer.text).not.toContain('never-in-the-log')
  })

  test.each([
    ['action=delete', () => '', [all[0]]],
    ['action=delete&action=create', () => '', [all[0], all[2], all[3], all[4]]],
    ['changed_object_type=netbox_pbs.pbsdatastore&changed_object_id=', () => String(made.json.id), all.slice(0, 3)],
    ['user_name=', () => 'admin', all.slice(0, 4)],
    ['user_name=', () => 'system', all.slice(4)],
    ['user_name=', () => 'unknown', []],
    ['request_id=', () => String(requestOf(changed)), [all[1]]],
    ['run=', () => '1', []],
    ['time_after=', () => '2200-01-01', []],
    ['time_before=', () => '2200-01-01', all],
    ['limit=1&offset=', () => '1', [all[1]]],
    ['action=', () => '', all],
  ])('is filtered and paged by %s', async (query, value, expected) => {
    expect(await titles(`${query}${value()}`)).toEqual(expected)
  })

  test.each([
    ['action=destroy', { action: ['Select a valid choice. destroy is not one of the available choices.'] }],
    [
      'changed_object_type=dcim.site',
      { changed_object_type: ['Select a valid choice. dcim.site is not one of the available choices.'] },
    ],
    ['changed_object_id=x&run=y', { changed_object_id: ['Enter a whole number.'], run: ['Enter a whole number.'] }],
    ['request_id=x', { request_id: ['Enter a valid UUID.'] }],
    ['time_after=yesterday', { time_after: ['Enter a valid date/time.'] }],
    ['user_name=%00', { user_name: ['Null characters are not allowed.'] }],
  ])('refuses %s', async (query, errors) => {
    const { status, json } = await api.ask('GET', `${list}?${query}`)
    expect([status, json]).toEqual([400, errors])
  })

  test('tells of settings and tokens, without their secrets, and what followed an entry', async () => {
    const newest = (await api.ask('GET', `${list}?limit=1`)).json.results[0].id
    const key = 'pxk_never-in-the-log'
    const settings = await api.ask('PATCH', '/api/plugins/pbs/settings/', {
      body: { branch_name_prefix: 'night', proxbox_api_key: key },
    })
    const token = await api.ask('POST', '/api/users/tokens/', { body: { description: 'for scripts' } })
    expect([settings.status, token.status]).toEqual([200, 201])
    await api.ask('DELETE', `/api/users/tokens/${token.json.id}/`)
    const followed = await api.ask('GET', `${list}?after_id=${newest}`)
    const tokenEntry = { changed_object_type: 'users.token', changed_object_id: token.json.id, user_name: 'admin' }
    expect(followed.json.results).toMatchObject([
      {
        display: 'Settings updated by admin',
        changed_object_type: 'netbox_pbs.settings',
        request_id: requestOf(settings),
        prechange_data: { branch_name_prefix: 'pbs-sync', proxbox_api_key: '' },
        postchange_data: { branch_name_prefix: 'night', proxbox_api_key: 'set' },
      },
      { ...tokenEntry, action: { value: 'create' }, postchange_data: { description: 'for scripts' } },
      { ...tokenEntry, action: { value: 'delete' } },
    ])
    for (const secret of [key, token.json.token]) expect(followed.text).not.toContain(secret)
    const last = followed.json.results.at(-1).id
    expect((await api.ask('GET', `${list}?after_id=${last}`)).json).toMatchObject({ count: 0, results: [] })
    expect((await api.ask('GET', `${list}?after_id=${newest}&changed_object_type=users.token`)).json.count).toBe(2)
    expect((await api.ask('GET', `${list}?after_id=-1`)).json).toEqual({ after_id: ['Enter a whole number.'] })
  })

  test('leads to the branch whose merge landed an entry', async () => {
    const opened = await api.ask('POST', '/api/plugins/pbs/branches/', { body: { name: 'night' } })
    const { json } = opened
    const headers = { 'X-NetBox-Branch': json.schema_id }
    const path = `/api/plugins/pbs/servers/${server.json.id}/`
    await api.ask('PATCH', path, { body: { sync_interval_minutes: 99 }, headers })
    const merged = await api.ask('POST', `/api/plugins/pbs/branches/${json.id}/merge/`, { body: { commit: true } })
    expect(merged.status).toBe(200)
    const { json: landed } = await api.ask('GET', `${list}?branch=${json.id}`)
    const branch = { id: json.id, url: json.url, display: 'night' }
    const ofBranch = { branch, changed_object_type: 'netbox_branching.branch', changed_object_id: json.id }
    expect(landed.results).toMatchObject([
      { ...ofBranch, display: 'Branch night updated by admin', postchange_data: { status: 'merged' } },
      { branch, changed_object_id: server.json.id, postchange_data: { sync_interval_minutes: 99 } },
      { ...ofBranch, display: 'Branch night created by admin', request_id: requestOf(opened) },
    ])
  })

  test('tells of each decision on a branch, under the request that asked for it', async () => {
    const opened = await api.ask('POST', '/api/plugins/pbs/branches/', { body: { name: 'decided' } })
    const { url, id, schema_id } = opened.json
    const branch = new URL(url).pathname
    const path = `/api/plugins/pbs/servers/${server.json.id}/`
    await api.ask('PATCH', path, { body: { sync_interval_minutes: 11 }, headers: { 'X-NetBox-Branch': schema_id } })
    await api.ask('PATCH', path, { body: { sync_interval_minutes: 22 } })
    const rejected = await api.ask('POST', `${branch}merge/`, { body: {} })
    const renamed = await api.ask('PATCH', branch, { body: { description: 'why' } })
    const answered = await api.ask('POST', `${branch}resolve/`, { body: { resolution: 'main', all: true } })
    const dry = await api.ask('POST', `${branch}merge/`, { body: { commit: false } })
    const closed = await api.ask('POST', `${branch}close/`, {})
    expect([rejected, renamed, answered, dry, closed].map(({ status }) => status)).toEqual([409, 200, 200, 200, 200])
    const { json } = await api.ask('GET', `${list}?branch=${id}`)
    const conflict = { changed_object_type: 'netbox_pbs.branchconflict', action: { value: 'update' } }
    expect(json.results.toReversed()).toMatchObject([
      { request_id: requestOf(opened), changed_object_type: 'netbox_branching.branch', action: { value: 'create' } },
      { request_id: requestOf(renamed), postchange_data: { description: 'why' } },
      {
        ...conflict,
        request_id: requestOf(answered),
        user_name: 'admin',
        prechange_data: { field: 'sync_interval_minutes', main: 22, branch: 11, resolution: null },
        postchange_data: { resolution: 'main', resolved_by: 'admin' },
      },
      { request_id: requestOf(closed), postchange_data: { status: 'closed' } },
    ])
    const only = `${list}?branch=${id}&changed_object_type=netbox_pbs.branchconflict`
    expect((await api.ask('GET', only)).json.count).toBe(1)
  })

  test('cannot be written, and has no entry that is not there', async () => {
    expect((await api.ask('POST', list, { body: {} })).status).toBe(405)
    expect((await api.ask('GET', `${list}999999/`)).json).toEqual({ detail: 'No Change matches the given query.' })
    expect((await api.ask('GET', `${list}99999999999999999999/`)).status).toBe(404)
    expect((await api.ask('GET', list, { token: null })).status).toBe(403)
  })
})
