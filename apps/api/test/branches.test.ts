import { ApiTokens, Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { stageBranch } from './support/stage-branch.ts'
import { type Answer, startTestApi, type TestApi } from './support/test-api.ts'

const list = '/api/plugins/pbs/branches/'
let api: TestApi
let tank: Answer
let id = 0
let serverId = 0
let one = ''

const nulls = () => 'Null characters are not allowed.'
const surrogates = 'Surrogate characters are not allowed.'

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const body = { name: 'pbs-a', host: 'pbs.example.org', token_id: 'sync@pbs!main' }
  const server = await api.ask('POST', '/api/plugins/pbs/servers/', { body })
  serverId = server.json.id
  const store = { server: serverId, name: 'tank', path: '/mnt/tank' }
  tank = await api.ask('POST', '/api/plugins/pbs/datastores/', { body: store })
  id = await api.run(
    stageBranch({
      name: 'pbs-sync-7',
      runId: 7,
      server: { id: server.json.id, name: 'pbs-a' },
      updates: [
        {
          id: tank.json.id,
          name: 'tank',
          fields: [
            ['comment', '', 'source'],
            ['path', '/mnt/tank', '/mnt/new'],
          ],
        },
      ],
    }),
  )
  one = `${list}${id}/`
  await api.ask('PATCH', `/api/plugins/pbs/datastores/${tank.json.id}/`, { body: { comment: 'edited' } })
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
    display_url: `${api.url}/plugins/pbs/branches/${id}/`,
    merged_time: null,
    reverts: null,
    review: false,
    revision: expect.any(Number),
    approved: false,
    approved_by: '',
    approved_time: null,
  })
  expect((await api.ask('GET', `${list}999/`)).json).toEqual({ detail: 'No Branch matches the given query.' })
})

test('a person opens one, under a name of its own', async () => {
  const { status, headers, json } = await api.ask('POST', list, {
    body: { name: ' night ', description: 'new stores' },
  })
  expect([status, headers.get('location')]).toEqual([201, `${api.url}${list}${json.id}/`])
  expect(json).toMatchObject({
    name: 'night',
    description: 'new stores',
    kind: { value: 'operator', label: 'Operator' },
    status: { value: 'open' },
    user: 'admin',
    run: null,
    change_count: 0,
    schema_id: expect.stringMatching(/^[a-z0-9]{8}$/),
  })
  expect((await api.ask('GET', headers.get('location')?.slice(api.url.length) ?? '')).json).toEqual(json)
  expect(await api.ask('POST', list, { body: { name: 'night' } })).toMatchObject({
    status: 400,
    json: { name: ['Branch with this Name already exists.'] },
  })
})

test.each([
  [{}, { name: ['This field is required.'] }],
  [{ name: ' ' }, { name: ['This field may not be blank.'] }],
  [{ name: 'n'.repeat(101) }, { name: ['Ensure this field has no more than 100 characters.'] }],
  [
    { name: 'a\0b', description: 'a\0b' },
    { name: [nulls()], description: [nulls()] },
  ],
  [
    { name: 'a\ud800', description: '\udc00' },
    { name: [surrogates], description: [surrogates] },
  ],
  [{ name: 'x', status: 'merged' }, { status: ['There is no such field.'] }],
  [[{ name: 'x' }], { __all__: [expect.any(String)] }],
])('%j opens none', async (body, errors) => {
  const { status, json } = await api.ask('POST', list, { body })
  expect([status, json]).toEqual([400, errors])
})

test.each([
  ['status=open&status=merged', ['night', 'pbs-sync-7']],
  ['status=merged', []],
  ['kind=operator', ['night']],
  ['user=admin', ['night']],
  ['name=pbs-sync-7&name=none', ['pbs-sync-7']],
  ['q=STORES', ['night']],
  ['q=%25', []],
  ['ordering=id', ['pbs-sync-7', 'night']],
  ['ordering=name&limit=1', ['night']],
])('branches are found by %s', async (query, names) => {
  const { json } = await api.ask('GET', `${list}?${query}`)
  expect(json.results.map(({ name }: { name: string }) => name)).toEqual(names)
})

test('a branch is found by the characters that a request names it by; an unknown choice is an error', async () => {
  const { json } = await api.ask('GET', one)
  expect((await api.ask('GET', `${list}?schema_id=${json.schema_id}`)).json.results).toEqual([json])
  expect(await api.ask('GET', `${list}?status=done&kind=own`)).toMatchObject({
    status: 400,
    json: {
      status: ['Select a valid choice. done is not one of the available choices.'],
      kind: ['Select a valid choice. own is not one of the available choices.'],
    },
  })
})

test('that of a run takes no edit of a user, and says what to do instead', async () => {
  const { json } = await api.ask('GET', one)
  const headers = { 'X-NetBox-Branch': json.schema_id }
  const { id: store, server } = tank.json
  const path = '/api/plugins/pbs/datastores/'
  const whole = { server: server.id, name: 'tank', path: '/mnt/tank' }
  const edits = [
    ['POST', path, { ...whole, name: 'made' }],
    ['PATCH', `${path}${store}/`, { comment: 'mine' }],
    ['PUT', `${path}${store}/`, { ...whole, comment: 'mine' }],
    ['DELETE', `${path}${store}/`, undefined],
    ['POST', path, [{ ...whole, name: 'made' }]],
    ['PATCH', path, [{ id: store, comment: 'mine' }]],
    ['DELETE', path, [{ id: store }]],
  ] as const
  const detail = 'this is the branch of run 7: open a branch of your own to edit.'
  for (const [method, at, body] of edits)
    expect(await api.ask(method, at, { headers, body })).toMatchObject({ status: 409, json: { detail } })
  expect((await api.ask('GET', one)).json).toEqual(json)
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

test.each([
  ['object_type=netbox_pbs.pbsdatastore', 1],
  ['object_type=netbox_pbs.pbsserver', 0],
  ['action=update&action=delete', 1],
  ['action=create', 0],
  ['q=PBS-A/ta', 1],
  ['q=other', 0],
  ['object_id=0', 0],
])('its changes are found by %s', async (query, count) => {
  expect((await api.ask('GET', `${one}changes/?${query}`)).json.count).toBe(count)
})

test('an invalid filter of its changes is an error', async () => {
  expect(await api.ask('GET', `${one}changes/?action=made&object_type=pbs&object_id=x`)).toMatchObject({
    status: 400,
    json: {
      action: ['Select a valid choice. made is not one of the available choices.'],
      object_type: ['Select a valid choice. pbs is not one of the available choices.'],
      object_id: ['Enter a whole number.'],
    },
  })
})

test('it does not merge over a conflict, and merges as that is answered', async () => {
  const rejected = await api.ask('POST', `${one}merge/`)
  expect((await api.ask('GET', one)).json).toMatchObject({ status: { value: 'in_review' }, conflict_count: 1 })
  const { json: conflicts } = await api.ask('GET', `${one}conflicts/?kind=update_update&field=comment&resolved=false`)
  expect(conflicts).toMatchObject({
    count: 1,
    results: [
      { display: 'pbs-a/tank: comment', base: '', main: 'edited', branch: 'source', resolution: null, resolved_by: '' },
    ],
  })
  expect(conflicts.results[0].scope).toEqual({
    key: `["datastores",${serverId},"","",""]`,
    display: 'datastores of pbs-a',
    resource: 'datastores',
    server: 'pbs-a',
  })
  expect([rejected.status, rejected.json]).toEqual([
    409,
    {
      detail: `branch ${id} has 1 open conflict: resolve it, then merge again.`,
      conflicts: conflicts.results,
    },
  ])
  const answer = (body: object) => api.ask('POST', `${one}resolve/`, { body })
  expect((await answer({ resolution: 'main', conflicts: [conflicts.results[0].id] })).json).toMatchObject({
    resolved: 1,
    status: { value: 'ready' },
  })
  expect((await answer({ resolution: null, scope: `["datastores",${serverId + 1},"","",""]` })).json).toMatchObject({
    resolved: 0,
  })
  expect((await answer({ resolution: null, scope: conflicts.results[0].scope.key })).json).toMatchObject({
    resolved: 1,
    status: { value: 'in_review' },
  })
  expect(await answer({ resolution: 'value', value: 7.5e3, field: 'path' })).toMatchObject({ json: { resolved: 0 } })
  // A backslash and the letters after it are separate characters, not the JSON escape.
  for (const value of ['\\u0000', '\\ud800'])
    expect(await answer({ resolution: 'value', value, field: 'path' })).toMatchObject({ json: { resolved: 0 } })
  expect(await answer({ resolution: 'value', value: ['a'], kind: 'update_update' })).toMatchObject({
    status: 400,
    json: { value: ['Not a valid string.'] },
  })
  expect((await answer({ resolution: 'value', value: ' both ', kind: 'update_update' })).json).toMatchObject({
    resolved: 1,
  })
  expect((await api.ask('GET', `${one}conflicts/`)).json.results).toMatchObject([
    { resolution: { value: 'value' }, value: 'both', resolved_by: 'admin', resolved_time: expect.any(String) },
  ])

  const dry = await api.ask('POST', `${one}merge/`, { body: { commit: false } })
  expect(dry.json).toMatchObject({ commit: false, merged: { created: 0, updated: 1, deleted: 0, skipped: 0 } })
  const store = `/api/plugins/pbs/datastores/${tank.json.id}/`
  expect((await api.ask('GET', store)).json).toMatchObject({ comment: 'edited', path: '/mnt/tank' })
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

test('what has merged can be undone: by a branch, which says what it undoes and merges as any other', async () => {
  const revert = (body: object) => api.ask('POST', `${one}revert/`, { body })
  const dry = await revert({ commit: false })
  expect([dry.status, dry.json]).toMatchObject([200, { commit: false, name: 'revert-pbs-sync-7', change_count: 1 }])
  expect((await api.ask('GET', `${list}?kind=revert`)).json.count).toBe(0)

  const { status, headers, json } = await revert({})
  expect([status, headers.get('location')]).toEqual([201, `${api.url}${list}${json.id}/`])
  expect(json).toMatchObject({
    commit: true,
    name: 'revert-pbs-sync-7',
    kind: { value: 'revert', label: 'Revert' },
    user: 'admin',
    reverts: { id, url: `${api.url}${one}`, display: `Branch ${id}` },
    conflict_count: 0,
  })
  expect(await revert({})).toMatchObject({ status: 400, json: { name: ['Branch with this Name already exists.'] } })
  const undo = `${list}${json.id}/`
  expect((await api.ask('GET', `${undo}changes/`)).json.results).toMatchObject([
    {
      prechange_data: { comment: 'both', path: '/mnt/new' },
      postchange_data: { comment: 'edited', path: '/mnt/tank' },
    },
  ])
  expect(await api.ask('POST', `${undo}revert/`)).toMatchObject({
    status: 409,
    json: { detail: `branch ${json.id} is ready: only a merged branch can be reverted.` },
  })
  expect((await api.ask('POST', `${undo}merge/`)).json).toMatchObject({ status: { value: 'merged' } })
  const store = `/api/plugins/pbs/datastores/${tank.json.id}/`
  expect((await api.ask('GET', store)).json).toMatchObject({ comment: 'edited', path: '/mnt/tank' })
})

test('an open branch is rebased on main, unless a conflict is open', async () => {
  const stale = { id: tank.json.id, name: 'tank', fields: [['comment', 'edited', 'source']] } as const
  const server = { id: tank.json.server.id, name: 'pbs-a' }
  const next = await api.run(stageBranch({ name: 'pbs-sync-8', runId: 8, server, updates: [stale] }))
  const sync = (body: object) => api.ask('POST', `${list}${next}/sync/`, { body })
  const store = `/api/plugins/pbs/datastores/${tank.json.id}/`
  await api.ask('PATCH', store, { body: { comment: 'again by a user' } })
  const rejected = await sync({})
  expect(rejected).toMatchObject({ status: 409, json: { conflicts: [{ main: 'again by a user', branch: 'source' }] } })
  const conflicts = { conflicts: [rejected.json.conflicts[0].id] }
  await api.ask('POST', `${list}${next}/resolve/`, { body: { resolution: 'branch', ...conflicts } })
  const base = async () => (await api.ask('GET', `${list}${next}/changes/`)).json.results[0].prechange_data.comment
  expect((await sync({ commit: false })).json).toMatchObject({ commit: false, conflict_count: 0 })
  expect(await base()).toBe('edited')
  expect((await sync({})).json).toMatchObject({ commit: true, status: { value: 'ready' }, conflict_count: 0 })
  expect(await base()).toBe('again by a user')
})

test('another user approves a branch at the revision that was read', async () => {
  const { json: own } = await api.ask('POST', list, { body: { name: 'own' } })
  expect(await api.ask('POST', `${list}${own.id}/approve/`, { body: { revision: own.revision } })).toMatchObject({
    status: 409,
    json: { detail: `branch ${own.id} is yours: ask another user to approve it.` },
  })
  const about = { kind: 'operator', description: '', user: 'ada', runId: null, review: false } as const
  const branch = await api.run(Effect.flatMap(Branches, (all) => all.create({ name: 'of ada', ...about })))
  const approve = (revision: number) => api.ask('POST', `${list}${branch.id}/approve/`, { body: { revision } })
  expect((await approve(branch.revision + 1)).status).toBe(409)
  expect((await approve(branch.revision)).json).toMatchObject({
    approved: true,
    approved_by: 'admin',
    approved_time: expect.any(String),
  })
})

test('nothing lands without the approval that the settings ask for', async () => {
  const eve = { key: 'eve000000001', secretHash: 'none', username: 'eve', description: '', expires: null }
  await api.run(Effect.flatMap(ApiTokens, (tokens) => tokens.create({ ...eve, write_enabled: true })))
  const settings = (expected: boolean) =>
    api.ask('PATCH', '/api/plugins/pbs/settings/', { body: { branch_approval_required: expected } })
  expect((await settings(true)).json.branch_approval_required).toBe(true)
  const { json: branch } = await api.ask('POST', list, { body: { name: 'unapproved' } })
  expect(await api.ask('POST', `${list}${branch.id}/merge/`)).toMatchObject({
    status: 409,
    json: { detail: expect.stringContaining('is not approved in its present revision') },
  })
  expect((await api.ask('POST', `${list}${branch.id}/merge/`, { body: { commit: false } })).status).toBe(200)
  await settings(false)
})

test.each([
  ['resolve', {}, { resolution: [expect.any(String)] }],
  [
    'resolve',
    { resolution: 'main' },
    { conflicts: ['Name conflicts, or a kind, object_type, field or scope of them, or send "all": true.'] },
  ],
  ['resolve', { resolution: 'value', all: true }, { value: ['This field is required.'] }],
  ['resolve', { resolution: 'main', value: 1, all: true }, { value: ['Only the resolution "value" has one.'] }],
  ['merge', { commit: 'no' }, { commit: ['Must be a valid boolean.'] }],
  ['merge', { comit: false }, { comit: ['There is no such field.'] }],
  ['sync', { commit: 1 }, { commit: ['Must be a valid boolean.'] }],
  ['revert', { commit: null }, { commit: ['Must be a valid boolean.'] }],
  ['revert', { name: '' }, { name: ['This field may not be blank.'] }],
  ['approve', {}, { revision: ['This field is required.'] }],
  ['approve', { revision: 'last' }, { revision: [expect.any(String)] }],
  ['resolve', { resolution: 'value', value: { a: 'x\0' }, all: true }, { value: [nulls()] }],
  ['resolve', { resolution: 'value', value: [{ '\0': 1 }], all: true }, { value: [nulls()] }],
  ['resolve', { resolution: 'value', value: { a: ['x\ud800'] }, all: true }, { value: [surrogates] }],
  ['resolve', { resolution: 'value', value: '\udc00', all: true }, { value: [surrogates] }],
  ['revert', { name: 'x\ud800' }, { name: [surrogates] }],
])('%s refuses %j', async (action, body, errors) => {
  const { status, json } = await api.ask('POST', `${one}${action}/`, { body })
  expect([status, json]).toEqual([400, errors])
})
