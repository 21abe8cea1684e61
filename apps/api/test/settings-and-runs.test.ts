import { ApiTokens, RequestCosts } from '@netbox-pbs/core/ports'
import { defaultSettings } from '@netbox-pbs/core/settings'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
const noCost = { requests: 0, bytes: 0, seconds: 0, most_in_flight: 0 }
let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const body = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }
  await api.ask('POST', `${root}/servers/`, { body })
})
afterAll(() => api.stop())

describe('settings', () => {
  test('are a bare object, here and under their id', async () => {
    const { json } = await api.ask('GET', `${root}/settings/`)
    expect(json).toMatchObject({ ...defaultSettings, id: 1, proxbox_api_key_configured: false })
    expect(json.url).toBe(`${api.url}${root}/settings/1/`)
    expect((await api.ask('GET', `${root}/settings/1/`)).json).toEqual(json)
  })

  test('are changed by field, and never show the key', async () => {
    const body = { proxbox_api_url: 'http://gateway.lan:8800', proxbox_api_key: 'hunter2-hunter2', id: 5 }
    const patched = await api.ask('PATCH', `${root}/settings/`, { body })
    expect(patched).toMatchObject({
      status: 200,
      json: { id: 1, proxbox_api_key_configured: true, guard_min_rows: 50 },
    })
    expect(patched.text).not.toContain('hunter2')
    const put = await api.ask('PUT', `${root}/settings/1/`, { body: { proxbox_api_key: '', guard_min_rows: 7 } })
    expect(put).toMatchObject({ status: 200, json: { proxbox_api_key_configured: false, guard_min_rows: 7 } })
    expect(put.json.proxbox_api_url).toBe('http://gateway.lan:8800')
    for (const sync_schedule of ['30 2 * * *', '']) {
      const set = await api.ask('PATCH', `${root}/settings/`, { body: { sync_schedule } })
      expect(set).toMatchObject({ status: 200, json: { sync_schedule } })
    }
  })

  test('that are wrong are refused by field and change nothing', async () => {
    const body = { guard_max_share: 2, branch_on_conflict: 'x', sync_interval_minutes: 1.5, branching_enabled: true }
    const { status, json } = await api.ask('PATCH', `${root}/settings/`, { body })
    expect([status, json]).toEqual([
      400,
      {
        branch_on_conflict: ['x is not a valid choice.'],
        guard_max_share: ['Ensure this value is less than or equal to 1.'],
        sync_interval_minutes: ['A valid integer is required.'],
      },
    ])
    expect((await api.ask('GET', `${root}/settings/`)).json).toMatchObject({ branching_enabled: false })
    expect((await api.ask('PATCH', `${root}/settings/`, { body: [] })).status).toBe(400)
    const few = await api.ask('PATCH', `${root}/settings/`, { body: { pbs_requests_per_day: -1 } })
    expect([few.status, few.json]).toEqual([
      400,
      { pbs_requests_per_day: ['Ensure this value is greater than or equal to 0.'] },
    ])
    const cron = await api.ask('PATCH', `${root}/settings/`, { body: { sync_schedule: 'every night' } })
    expect([cron.status, Object.keys(cron.json)]).toEqual([400, ['sync_schedule']])
    const url = { proxbox_api_url: 'gateway.lan' }
    expect((await api.ask('PATCH', `${root}/settings/`, { body: url })).json).toEqual({
      proxbox_api_url: ['Enter an http or https URL, like http://127.0.0.1:8800.'],
    })
  })
})

test.each([
  ['branch_name_prefix', '', 'This field may not be blank.'],
  ['branch_name_prefix', null, 'This field may not be null.'],
  ['branch_name_prefix', 5, 'Not a valid string.'],
  ['branch_name_prefix', 'x'.repeat(65), 'Ensure this field has no more than 64 characters.'],
  ['branch_name_prefix', 'a\0b', 'Null characters are not allowed.'],
  ['branch_name_prefix', 'a\ud800', 'Surrogate characters are not allowed.'],
  ['proxbox_api_url', 'http://gateway.lan/\0', 'This field must not hold white space or control characters.'],
  ['proxbox_api_url', 'http://gateway.lan/\ud800', 'This field must not hold white space or control characters.'],
  ['proxbox_api_key', 'a\nb', 'This field may hold printable ASCII characters without white space only.'],
  ['branching_enabled', 'maybe', 'Must be a valid boolean.'],
  ['guard_max_share', 'half', 'A valid number is required.'],
  ['guard_min_rows', -1, 'Ensure this value is greater than or equal to 0.'],
  ['branch_on_conflict', ['abort'], "['abort'] is not a valid choice."],
])('the setting %s as %j is refused in NetBox’s words', async (field, value, sentence) => {
  const before = (await api.ask('GET', `${root}/settings/`)).json
  const { status, json } = await api.ask('PATCH', `${root}/settings/`, { body: { [field]: value } })
  expect([status, json]).toEqual([400, { [field]: [sentence] }])
  expect((await api.ask('GET', `${root}/settings/`)).json).toEqual(before)
})

test('OPTIONS tells the fields of the settings', async () => {
  const { json } = await api.ask('OPTIONS', `${root}/settings/`)
  expect(Object.keys(json.actions.PUT).sort()).toEqual([...Object.keys(defaultSettings), 'proxbox_api_key'].sort())
  expect(json.actions.PUT).toMatchObject({
    branch_on_conflict: { type: 'field', choices: [{ value: 'abort', display_name: 'Abort' }, { value: 'overwrite' }] },
    guard_max_share: { type: 'float', min_value: 0, max_value: 1 },
    proxbox_api_url: { type: 'string', max_length: 2000, label: 'Proxbox API URL' },
  })
})

test('approval by another is not asked for while there is no other', async () => {
  const ask = () => api.ask('PATCH', `${root}/settings/`, { body: { branch_approval_required: true } })
  expect(await ask()).toMatchObject({
    status: 400,
    json: { branch_approval_required: [expect.stringContaining('Only one user could approve a branch')] },
  })
  const eve = { key: 'eve000000001', secretHash: 'none', username: 'eve', description: '', expires: null }
  const grant = (key: string, write_enabled: boolean) =>
    api.run(Effect.flatMap(ApiTokens, (tokens) => tokens.create({ ...eve, key, write_enabled })))
  await grant('eve000000001', false)
  expect((await ask()).status).toBe(400)
  const { id } = await grant('eve000000002', true)
  expect((await ask()).json).toMatchObject({ branch_approval_required: true })
  // A setting that is on can be sent as on again, and can be switched off.
  await api.run(Effect.flatMap(ApiTokens, (tokens) => tokens.remove({ ids: [id] })))
  expect((await ask()).status).toBe(200)
  const off = await api.ask('PATCH', `${root}/settings/`, { body: { branch_approval_required: false } })
  expect(off.json).toMatchObject({ branch_approval_required: false })
})

test('the key of the gateway goes to no other address than it was given for', async () => {
  const set = (body: unknown, method = 'PATCH') => api.ask(method, `${root}/settings/`, { body })
  const known = { proxbox_api_url: 'http://gateway.lan:8800', proxbox_api_key: 'hunter2-hunter2' }
  expect((await set(known)).status).toBe(200)
  for (const method of ['PATCH', 'PUT']) {
    expect(await set({ proxbox_api_url: 'http://127.0.0.1:9', guard_min_rows: 1 }, method)).toMatchObject({
      status: 400,
      json: { proxbox_api_key: [expect.stringContaining('Send the key of the gateway')] },
    })
  }
  const kept = await api.ask('GET', `${root}/settings/`)
  expect(kept.json).toMatchObject({ proxbox_api_url: known.proxbox_api_url, proxbox_api_key_configured: true })
  const moved = await set({ proxbox_api_url: 'http://other.lan', proxbox_api_key: '' })
  expect(moved).toMatchObject({ status: 200, json: { proxbox_api_key_configured: false } })
  await set({ proxbox_api_url: '' })
})

describe('the timing of a server', () => {
  const at = `${root}/servers/1/`

  test('follows the settings until it is given one, and again when that is taken away', async () => {
    const follows = { sync_schedule: '', sync_interval_minutes: null }
    expect((await api.ask('GET', at)).json).toMatchObject(follows)
    const own = { sync_schedule: '30 2 * * *', sync_interval_minutes: 0 }
    expect(await api.ask('PATCH', at, { body: own })).toMatchObject({ status: 200, json: own })
    const found = await api.ask('GET', `${root}/servers/?sync_schedule=30+2+*+*+*&sync_interval_minutes=0`)
    expect(found.json).toMatchObject({ count: 1, results: [own] })
    expect(await api.ask('PATCH', at, { body: follows })).toMatchObject({ status: 200, json: follows })
    const { json: log } = await api.ask('GET', `${root}/changes/?changed_object_id=1&limit=1`)
    expect(log.results[0]).toMatchObject({ prechange_data: own, postchange_data: follows })
  })

  test('has hours in which it sleeps', async () => {
    for (const sleep_hours of ['22:00-06:00', 'mon-fri 20:00-07:00, sat-sun 00:00-24:00', '']) {
      expect(await api.ask('PATCH', at, { body: { sleep_hours } })).toMatchObject({
        status: 200,
        json: { sleep_hours },
      })
      expect((await api.ask('GET', at)).json.sleep_hours).toBe(sleep_hours)
    }
  })

  test.each([
    [{ sync_schedule: 'every night' }, 'sync_schedule', 'Enter a cron expression in UTC'],
    [{ sync_schedule: '0 0 30 2 *' }, 'sync_schedule', 'in UTC that can occur'],
    [{ sync_schedule: null }, 'sync_schedule', 'may not be null'],
    [{ sync_interval_minutes: -1 }, 'sync_interval_minutes', 'greater than or equal to 0'],
    [{ sync_interval_minutes: 525_601 }, 'sync_interval_minutes', 'less than or equal to 525600'],
    [{ sync_interval_minutes: 'often' }, 'sync_interval_minutes', 'A valid integer is required'],
    [{ sleep_hours: '22-6' }, 'sleep_hours', 'Enter hours of the day in UTC'],
    [{ sleep_hours: '00:00-24:00' }, 'sleep_hours', 'that leave some awake'],
    [{ sleep_hours: null }, 'sleep_hours', 'may not be null'],
  ])('is refused as %j', async (body, field, words) => {
    const { status, json } = await api.ask('PATCH', at, { body })
    expect([status, Object.keys(json)]).toEqual([400, [field]])
    expect(json[field][0]).toContain(words)
  })
})

describe('a run', () => {
  test('is started, listed and shown while it waits', async () => {
    const body = { resources: ['snapshots', 'servers'], servers: ['pbs-a', 1] }
    const { status, json, headers } = await api.ask('POST', `${root}/sync-runs/`, { body })
    expect(status).toBe(201)
    expect(json).toMatchObject({
      status: { value: 'pending', label: 'Pending' },
      trigger: { value: 'manual', label: 'Manual' },
      user: 'admin',
      resources: ['servers', 'snapshots'],
      servers: ['pbs-a'],
      counts: { created: 0 },
      outcomes: { landed: 0, held_back: 0 },
      started: null,
      duration_seconds: null,
    })
    expect(headers.get('location')).toBe(`${api.url}${root}/sync-runs/${json.id}/`)
    expect((await api.ask('GET', `${root}/sync-runs/${json.id}/`)).json).toEqual({
      ...json,
      // No worker runs in this test.
      waits_for_worker_since: expect.any(String),
      scopes: [],
      scope_count: 0,
      warnings: [],
    })
    expect((await api.ask('GET', json.scopes_url.replace(api.url, ''))).json).toEqual({
      count: 0,
      next: null,
      previous: null,
      results: [],
    })
    await api.ask('POST', `${root}/sync-runs/`, { body: {} })
    const list = await api.ask('GET', `${root}/sync-runs/?limit=1`)
    expect(list.json).toMatchObject({ count: 2, results: [{ id: json.id + 1, servers: null }] })
    expect(list.json.next).toBe(`${api.url}${root}/sync-runs/?limit=1&offset=1`)
  })

  test('of what is not there is refused, with the values named', async () => {
    const body = { resources: ['tapes', 'jobs', 5], servers: ['pbs-a', 'nope', 99, true] }
    expect(await api.ask('POST', `${root}/sync-runs/`, { body })).toMatchObject({
      status: 400,
      json: {
        resources: [
          'tapes is not one of servers, datastores, snapshots, jobs, tasks.',
          '5 is not one of servers, datastores, snapshots, jobs, tasks.',
        ],
        servers: ['There is no server nope.', 'There is no server 99.', 'There is no server True.'],
      },
    })
  })

  test.each([
    [{ resources: 'jobs' }, { resources: ['Expected a list of items but got type "str".'] }],
    [{ servers: [] }, { servers: ['This list may not be empty.'] }],
    [[], { __all__: ['Invalid data. Expected a dictionary, but got list.'] }],
  ])('asked as %j is refused', async (body, errors) => {
    expect(await api.ask('POST', `${root}/sync-runs/`, { body })).toMatchObject({ status: 400, json: errors })
  })

  test('that waits is cancelled at once, and only once', async () => {
    const { json: made } = await api.ask('POST', `${root}/sync-runs/`, { body: {} })
    const cancelled = await api.ask('POST', `${root}/sync-runs/${made.id}/cancel/`)
    expect(cancelled).toMatchObject({ status: 200, json: { status: { value: 'cancelled' }, cancel_requested: true } })
    expect(await api.ask('POST', `${root}/sync-runs/${made.id}/cancel/`)).toMatchObject({
      status: 400,
      json: { detail: `Run ${made.id} has ended.` },
    })
  })

  test('tells how its jobs stand', async () => {
    const { json: made } = await api.ask('POST', `${root}/sync-runs/`, { body: {} })
    const job = { display: 'the gateway', server: null, tries: 0, error: '', rows_read: 0, cost: noCost }
    const jobs = () => api.ask('GET', made.jobs_url.replace(api.url, ''))
    const one = { count: 1, next: null, previous: null }
    expect((await jobs()).json).toEqual({ ...one, results: [{ ...job, state: { value: 'queued', label: 'Queued' } }] })
    await api.ask('POST', `${root}/sync-runs/${made.id}/cancel/`)
    expect((await jobs()).json).toMatchObject({ ...one, results: [{ state: { value: 'cancelled' } }] })
  })

  test('tells what it has asked of each server, and the server what it was asked on each day', async () => {
    const { json: made } = await api.ask('POST', `${root}/sync-runs/`, { body: {} })
    const cost = { server: 'pbs-a', requests: 3, bytes: 4096, millis: 1250, most_in_flight: 2 }
    const record = (day: string, run: number | undefined) =>
      api.run(
        Effect.flatMap(RequestCosts, (costs) =>
          costs.record({
            ...{ runId: made.id, serverId: null, day },
            costs: [{ ...cost, ...(run === undefined ? {} : { run: String(run) }) }],
          }),
        ),
      )
    await record('2026-05-01', made.id)
    await record('2026-05-02', undefined)
    const shown = { requests: 3, bytes: 4096, seconds: 1.25, most_in_flight: 2 }
    expect((await api.ask('GET', `${root}/sync-runs/${made.id}/`)).json.cost).toEqual(shown)
    const { json: jobs } = await api.ask('GET', `${root}/sync-runs/${made.id}/jobs/`)
    expect(jobs.results).toMatchObject([{ server: null, cost: shown }])
    const { json: servers } = await api.ask('GET', `${root}/servers/?name=pbs-a`)
    const [{ id }] = servers.results
    expect((await api.ask('GET', `${root}/servers/${id}/costs/`)).json).toEqual({
      ...{ count: 2, next: null, previous: null },
      results: [
        { day: '2026-05-02', ...shown },
        { day: '2026-05-01', ...shown },
      ],
    })
    expect((await api.ask('GET', `${root}/servers/999/costs/`)).status).toBe(404)
  })

  test('that is not there is not found', async () => {
    expect(await api.ask('GET', `${root}/sync-runs/999/jobs/`)).toMatchObject({ status: 404 })
    expect(await api.ask('GET', `${root}/sync-runs/999/`)).toMatchObject({ status: 404 })
    expect(await api.ask('GET', `${root}/sync-runs/999/scopes/`)).toMatchObject({ status: 404 })
  })
})
