import { Deliveries } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from './support/test-api.ts'

const webhooks = '/api/extras/webhooks/'
const rules = '/api/extras/event-rules/'
const deliveries = '/api/plugins/pbs/deliveries/'
const datastore = 'netbox_pbs.pbsdatastore'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api.stop())

const newWebhook = async (name: string, change: object = {}): Promise<Answer> =>
  api.ask('POST', webhooks, { body: { name, payload_url: 'https://hooks.example.com/a', ...change } })
const ruleBody = (name: string, webhook: number, change: object = {}) => ({
  name,
  object_types: [datastore],
  event_types: ['object_updated'],
  action_type: 'webhook',
  action_object_type: 'extras.webhook',
  action_object_id: webhook,
  ...change,
})

describe('a webhook', () => {
  test('is made with the defaults of NetBox, changed and deleted', async () => {
    const made = await newWebhook('whole', { secret: 'never-shown', description: ' text ' })
    const { id } = made.json
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`${api.url}${webhooks}${id}/`)
    expect(made.json).toEqual({
      id,
      url: `${api.url}${webhooks}${id}/`,
      display: 'whole',
      name: 'whole',
      description: 'text',
      payload_url: 'https://hooks.example.com/a',
      http_method: 'POST',
      http_content_type: 'application/json',
      additional_headers: '',
      body_template: '',
      secret_configured: true,
      ssl_verification: true,
      ca_file_path: null,
      created: expect.any(String),
      last_updated: expect.any(String),
    })
    const one = `${webhooks}${id}/`
    const stale = { 'If-Match': 'W/"2020-01-01T00:00:00Z"' }
    expect((await api.ask('PATCH', one, { body: { name: 'x' }, headers: stale })).status).toBe(412)
    // A client may send back what it has read.
    const put = await api.ask('PUT', one, { body: { ...made.json, http_method: 'PUT' } })
    expect([put.status, put.json.http_method, put.json.secret_configured]).toEqual([200, 'PUT', true])
    expect((await api.ask('GET', one)).json).toEqual(put.json)
    expect((await api.ask('PUT', one, { body: { description: 'x' } })).json).toEqual({
      name: ['This field is required.'],
      payload_url: ['This field is required.'],
    })
    expect((await api.ask('DELETE', one, { body: { changelog_message: 'moved away' } })).status).toBe(204)
    expect(await api.ask('GET', one)).toMatchObject({
      status: 404,
      json: { detail: 'No Webhook matches the given query.' },
    })
    const log = await api.ask(
      'GET',
      `/api/plugins/pbs/changes/?changed_object_type=extras.webhook&changed_object_id=${id}`,
    )
    expect(log.json.results.map(({ action }: { action: { value: string } }) => action.value)).toEqual([
      'delete',
      'update',
      'create',
    ])
    expect(log.json.results[0].message).toBe('moved away')
    expect(log.text).not.toContain('never-shown')
  })

  test.each([
    [{ payload_url: 'ftp://a/' }, { payload_url: ['Enter an http or https URL.'] }],
    [{ payload_url: 'file:///etc/passwd' }, { payload_url: ['Enter an http or https URL.'] }],
    [
      { payload_url: 'https://a:b@c/' },
      {
        payload_url: [
          'This field must not hold a user or password: send them as an Authorization header in additional_headers.',
        ],
      },
    ],
    [{ payload_url: 'https://a/{{ event }}' }, { payload_url: [expect.stringContaining('Templates are not offered')] }],
    [{ additional_headers: 'X: {% x %}' }, { additional_headers: [expect.stringContaining('Templates')] }],
    [{ additional_headers: 'no header' }, { additional_headers: ['Enter one header a line, as Name: value.'] }],
    [{ additional_headers: 'Host: a' }, { additional_headers: ['Host cannot be added: it is set for each request.'] }],
    [{ body_template: '{{ data }}' }, { body_template: [expect.stringContaining('Templates are not offered')] }],
    [{ ca_file_path: '/etc/ca.pem' }, { ca_file_path: [expect.stringContaining('NODE_EXTRA_CA_CERTS')] }],
    [{ http_method: 'TRACE' }, { http_method: ['TRACE is not a valid choice.'] }],
    [{ http_content_type: 'a\r\nX: y' }, { http_content_type: ['Enter a media type, like application/json.'] }],
    [{ ssl_verification: 'maybe' }, { ssl_verification: ['Must be a valid boolean.'] }],
    [{ secret: 'x'.repeat(256) }, { secret: ['Ensure this field has no more than 255 characters.'] }],
    [{ name: ' ' }, { name: ['This field may not be blank.'] }],
    [{ name: null }, { name: ['This field may not be null.'] }],
    [{ tags: [1] }, { tags: ['Tags are not offered yet: leave tags out.'] }],
  ])('with %j is refused', async (change, errors) => {
    expect(await newWebhook('refused', change)).toMatchObject({ status: 400, json: errors })
  })

  test('has a name of its own, and is sent one at a time', async () => {
    await newWebhook('taken')
    const taken = { status: 400, json: { name: ['webhook with this name already exists.'] } }
    expect(await newWebhook('taken')).toMatchObject(taken)
    expect((await api.ask('POST', webhooks, { body: [{ name: 'a' }] })).status).toBe(400)
    expect((await api.ask('POST', webhooks, { body: 'x' })).json).toEqual({
      __all__: ['Invalid data. Expected a dictionary, but got str.'],
    })
  })

  test('is listed by name, text and id, and described', async () => {
    const { json } = await newWebhook('list-me', { description: 'Finds Me' })
    const names = async (query: string) =>
      (await api.ask('GET', `${webhooks}?${query}`)).json.results.map(({ name }: { name: string }) => name)
    expect(await names('q=finds')).toEqual(['list-me'])
    expect(await names(`id=${json.id}`)).toEqual(['list-me'])
    expect(await names('name=list-me&name=nope')).toEqual(['list-me'])
    const { json: options } = await api.ask('OPTIONS', webhooks)
    expect(options.actions.POST).toMatchObject({
      name: { type: 'string', required: true, label: 'Name', max_length: 150 },
      http_method: { required: false, choices: expect.arrayContaining([{ value: 'POST', display_name: 'POST' }]) },
    })
  })
})

describe('an event rule', () => {
  let webhook: number
  beforeAll(async () => {
    webhook = (await newWebhook('of rules')).json.id
  })

  test('is made, changed and deleted, and names its webhook', async () => {
    const conditions = { and: [{ attr: 'comment', value: 'x', op: 'contains' }] }
    const made = await api.ask('POST', rules, {
      body: ruleBody('whole', webhook, { conditions, action_data: { a: 1 } }),
    })
    const { id } = made.json
    expect(made.json).toEqual({
      id,
      url: `${api.url}${rules}${id}/`,
      display: 'whole',
      object_types: [datastore],
      name: 'whole',
      enabled: true,
      event_types: ['object_updated'],
      conditions,
      action_type: { value: 'webhook', label: 'Webhook' },
      action_object_type: 'extras.webhook',
      action_object_id: webhook,
      action_object: { id: webhook, url: `${api.url}${webhooks}${webhook}/`, display: 'of rules', name: 'of rules' },
      action_data: { a: 1 },
      description: '',
      created: expect.any(String),
      last_updated: expect.any(String),
    })
    const one = `${rules}${id}/`
    const patched = await api.ask('PATCH', one, { body: { enabled: false, conditions: {} } })
    expect(patched.json).toMatchObject({ enabled: false, conditions: null, action_data: { a: 1 } })
    expect((await api.ask('PATCH', one, { body: { description: 'kept' } })).json).toMatchObject({ conditions: null })
    expect((await api.ask('GET', `${rules}?enabled=false&action_object_id=${webhook}`)).json.count).toBe(1)
    expect((await api.ask('DELETE', one)).status).toBe(204)
    expect((await api.ask('GET', one)).json).toEqual({ detail: 'No EventRule matches the given query.' })
  })

  test('keeps its conditions when they are left out', async () => {
    const conditions = { attr: 'comment', value: 'x' }
    const { json } = await api.ask('POST', rules, { body: ruleBody('keeps', webhook, { conditions }) })
    const patched = await api.ask('PATCH', `${rules}${json.id}/`, { body: { description: 'new' } })
    expect(patched.json).toMatchObject({ description: 'new', conditions })
  })

  test.each([
    [{ object_types: ['netbox_pbs.nope'] }, { object_types: ['netbox_pbs.nope is not a valid choice.'] }],
    [{ object_types: ['netbox_pbs.pbstask'] }, { object_types: [expect.stringContaining('Tasks are history')] }],
    [{ object_types: [] }, { object_types: ['This list may not be empty.'] }],
    [{ object_types: datastore }, { object_types: ['Expected a list of items but got type "str".'] }],
    [{ event_types: ['nope'] }, { event_types: ['nope is not a valid choice.'] }],
    [{ event_types: ['finding_opened'] }, { object_types: [expect.stringContaining(datastore)] }],
    [{ event_types: ['job_errored'] }, { event_types: [expect.stringContaining('job_failed')] }],
    [{ event_types: ['job_failed'] }, { object_types: [expect.stringContaining(datastore)] }],
    [{ conditions: { attr: 'a' } }, { conditions: ['The condition on a needs a value.'] }],
    [{ conditions: 5 }, { conditions: [expect.stringContaining('Conditions are objects')] }],
    [
      { event_types: ['object_created'], conditions: { attr: 'comment', value: 'x' } },
      { conditions: [expect.stringContaining('no comment')] },
    ],
    [{ action_type: 'script' }, { action_type: ['Scripts are not offered: a rule sends a webhook.'] }],
    [{ action_object_type: 'extras.script' }, { action_object_type: ['extras.script is not a valid choice.'] }],
    [
      { action_object_id: 999_999 },
      { action_object_id: ['Related object not found using the provided numeric ID: 999999'] },
    ],
    [{ action_object_id: 'x' }, { action_object_id: ['A valid integer is required.'] }],
    [
      { action_data: { a: 'x'.repeat(10_000) } },
      { action_data: ['Ensure this field has no more than 10000 characters.'] },
    ],
    [{ enabled: 'perhaps' }, { enabled: ['Must be a valid boolean.'] }],
  ])('with %j is refused', async (change, errors) => {
    expect(await api.ask('POST', rules, { body: ruleBody('refused', webhook, change) })).toMatchObject({
      status: 400,
      json: errors,
    })
  })

  test('lacks nothing that it needs', async () => {
    const required = ['This field is required.']
    expect((await api.ask('POST', rules, { body: {} })).json).toEqual({
      name: required,
      object_types: required,
      event_types: required,
      action_type: required,
      action_object_type: required,
      action_object_id: required,
    })
  })
})

describe('a delivery', () => {
  test('is listed with filters, shown, cancelled and retried', async () => {
    const body = { name: 'pbs-a', host: 'pbs.example.org', token_id: 'sync@pbs!main' }
    const server = await api.ask('POST', '/api/plugins/pbs/servers/', { body })
    const store = await api.ask('POST', '/api/plugins/pbs/datastores/', {
      body: { server: server.json.id, name: 'tank', path: '/tank' },
    })
    const webhook = (await newWebhook('sends', { additional_headers: 'Authorization: Token very-secret' })).json.id
    await api.ask('POST', rules, { body: ruleBody('sends', webhook) })
    const edit = await api.ask('PATCH', `/api/plugins/pbs/datastores/${store.json.id}/`, { body: { comment: 'x' } })
    await api.run(Effect.flatMap(Deliveries, (port) => port.follow()))
    const { json: list } = await api.ask('GET', `${deliveries}?webhook_id=${webhook}`)
    const [row] = list.results
    expect(row).toEqual({
      id: expect.any(Number),
      url: `${api.url}${deliveries}${row.id}/`,
      display: 'Object updated: pbs-a/tank',
      uuid: expect.any(String),
      state: { value: 'pending', label: 'Pending' },
      webhook: { id: webhook, url: `${api.url}${webhooks}${webhook}/`, display: 'sends' },
      event_rule: { id: expect.any(Number), url: expect.stringContaining(rules), display: 'sends' },
      event_type: { value: 'object_updated', label: 'Object updated' },
      object_type: datastore,
      object_id: store.json.id,
      object_repr: 'pbs-a/tank',
      request_id: edit.headers.get('x-request-id'),
      attempts: 0,
      last_attempt: null,
      next_attempt: expect.any(String),
      ended: null,
      response_status: null,
      error: '',
      created: expect.any(String),
    })
    for (const [query, count] of [
      ['state=pending', 1],
      ['state=failed', 0],
      ['event_type=object_updated&object_type=netbox_pbs.pbsdatastore', 1],
      [`object_id=${store.json.id + 1}`, 0],
      [`request_id=${row.request_id}`, 1],
      ['created_after=2100-01-01', 0],
    ] as const)
      expect([query, (await api.ask('GET', `${deliveries}?webhook_id=${webhook}&${query}`)).json.count]).toEqual([
        query,
        count,
      ])
    const one = `${deliveries}${row.id}/`
    const detail = await api.ask('GET', one)
    expect(detail.json).toEqual({ ...row, request: null, body: expect.any(String), response_body: '' })
    expect(JSON.parse(detail.json.body)).toMatchObject({ event: 'updated', data: { comment: 'x' } })
    expect(detail.text).not.toContain('very-secret')
    expect((await api.ask('POST', `${one}cancel/`)).json).toMatchObject({ state: { value: 'cancelled' } })
    expect(await api.ask('POST', `${one}cancel/`)).toMatchObject({
      status: 400,
      json: { detail: `Delivery ${row.id} has ended.` },
    })
    expect((await api.ask('POST', `${one}retry/`)).json).toMatchObject({ state: { value: 'pending' } })
    expect((await api.ask('POST', `${one}retry/`, { body: { now: true } })).status).toBe(400)
    expect((await api.ask('POST', `${deliveries}999999/retry/`)).status).toBe(404)
    expect((await api.ask('DELETE', one)).status).toBe(405)
    const log = await api.ask('GET', `/api/plugins/pbs/changes/?changed_object_type=netbox_pbs.delivery`)
    expect(log.json.results).toMatchObject([
      { prechange_data: { state: 'cancelled' }, postchange_data: { state: 'pending' }, user_name: 'admin' },
      { prechange_data: { state: 'pending' }, postchange_data: { state: 'cancelled' } },
    ])
  })

  test('is written in main only', async () => {
    const { json: branch } = await api.ask('POST', '/api/plugins/pbs/branches/', { body: { name: 'review' } })
    const headers = { 'X-NetBox-Branch': branch.schema_id }
    const body = { name: 'in a branch', payload_url: 'https://a/' }
    expect((await api.ask('POST', webhooks, { body, headers })).status).toBe(400)
    expect((await api.ask('GET', webhooks, { headers })).status).toBe(200)
  })
})
