import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
let api: TestApi

const snapshot = (n: number, more: object = {}) => ({
  server: 'pbs-a',
  datastore_name: 'tank',
  backup_type: 'vm',
  backup_id: `${100 + (n % 4)}`,
  backup_time: `2026-05-01T0${n % 10}:00:00Z`,
  ...more,
})

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  const servers = ['pbs-a', 'pbs-b'].map((name) => ({ name, host: '192.0.2.1', token_id: 'a@pbs!b' }))
  const bodies: ReadonlyArray<readonly [string, object]> = [
    ['servers', servers],
    ['datastores', { server: 1, name: 'tank', path: '/tank', gc_status: 'ok', used_bytes: 5 }],
    ['snapshots', Array.from({ length: 7 }, (_, n) => snapshot(n, { comment: n === 3 ? 'Наследие 100%' : '' }))],
    ['snapshots', snapshot(1, { server: 2, namespace: 'site-a', backup_type: 'host', protected: true })],
    ['jobs', { server: 2, job_type: 'gc', job_id: 'tank', last_run_state: 'error' }],
  ]
  for (const [path, body] of bodies) expect((await api.ask('POST', `${root}/${path}/`, { body })).status).toBe(201)
})
afterAll(() => api.stop())

const ids = async (query: string): Promise<ReadonlyArray<number>> => {
  const { json } = await api.ask('GET', `${root}/snapshots/?fields=id&ordering=id&${query}`)
  return json.results.map(({ id }: { id: number }) => id)
}

test('a row has the form of NetBox', async () => {
  const { json, headers, status } = await api.ask('GET', `${root}/datastores/1/`)
  expect(status).toBe(200)
  expect(json).toEqual({
    id: 1,
    url: `${api.url}${root}/datastores/1/`,
    display_url: `${api.url}/plugins/pbs/datastores/1/`,
    display: 'tank (pbs-a)',
    server: { id: 1, url: `${api.url}${root}/servers/1/`, display: 'pbs-a', name: 'pbs-a' },
    name: 'tank',
    path: '/tank',
    used_bytes: 5,
    total_bytes: null,
    avail_bytes: null,
    usage_at: null,
    gc_status: { value: 'ok', label: 'OK' },
    comment: '',
    maintenance: '',
    mount_status: '',
    backend_type: '',
    estimated_full_at: null,
    gc_index_bytes: null,
    gc_disk_bytes: null,
    gc_removed_bytes: null,
    gc_pending_bytes: null,
    gc_bad_chunks: null,
    last_gc_at: null,
    last_gc_end: null,
    dedup_percent: null,
    forecast: { value: 'unknown', label: 'Unknown' },
    growth_per_day: null,
    days_until_full: null,
    days_until_full_soonest: null,
    days_until_full_latest: null,
    missing_since: null,
    last_seen_at: null,
    tags: [],
    custom_fields: {},
    created: json.created,
    last_updated: json.last_updated,
  })
  expect(json.last_updated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/)
  expect(headers.get('etag')).toBe(`W/"${json.last_updated}"`)
})

test.each([
  ['servers/1', 'pbs-a'],
  ['snapshots/8', 'host/101/2026-05-01T01:00:00Z'],
  ['jobs/1', 'gc/tank'],
])('%s is displayed as %s', async (path, display) => {
  expect((await api.ask('GET', `${root}/${path}/?fields=display`)).json).toEqual({ display })
})

test('groups follow the snapshots, in their own order', async () => {
  const { json } = await api.ask('GET', `${root}/groups/?fields=display,snapshot_count&limit=2`)
  expect(json).toMatchObject({ count: 5, results: [{ display: 'vm/100', snapshot_count: 2 }, { display: 'vm/101' }] })
})

describe('a page', () => {
  test('links to its neighbours with every other parameter, sorted', async () => {
    const { json } = await api.ask('GET', `${root}/snapshots/?q=vm&limit=2&offset=3&fields=id,url&q=10`)
    const at = (page: string) => `${api.url}${root}/snapshots/?fields=id%2Curl&limit=2${page}`
    expect(json).toMatchObject({ count: 8, next: at('&offset=5&q=vm&q=10'), previous: at('&offset=1&q=vm&q=10') })
  })

  test('has the address that a proxy forwards', async () => {
    const headers = { 'X-Forwarded-Host': 'localhost:8443', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Prefix': '/nb/' }
    const { json } = await api.ask('GET', `${root}/servers/?limit=1`, { headers })
    expect(json.next).toBe('https://localhost:8443/nb/api/plugins/pbs/servers/?limit=1&offset=1')
    expect(json.results[0].url).toBe('https://localhost:8443/nb/api/plugins/pbs/servers/1/')
  })

  test('is read by cursor without a count, until an empty one', async () => {
    const seen: Array<number> = []
    let next: string | null = `${root}/snapshots/?start=0&limit=4&fields=id`
    while (next !== null) {
      const { json }: Awaited<ReturnType<TestApi['ask']>> = await api.ask('GET', next.replace(api.url, ''))
      expect(json).toMatchObject({ count: null, previous: null })
      seen.push(...json.results.map(({ id }: { id: number }) => id))
      next = json.next
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('beyond the end is empty and still counts', async () => {
    const { json } = await api.ask('GET', `${root}/jobs/?offset=5&limit=5`)
    expect(json).toEqual({ count: 1, next: null, previous: `${api.url}${root}/jobs/?limit=5`, results: [] })
  })
})

describe('a filter', () => {
  test.each([
    ['backup_id=100&backup_id=102', [1, 3, 5, 7]],
    ['backup_type=host', [8]],
    ['protected=true', [8]],
    ['namespace=', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['owner=null', []],
    ['backup_time=2026-05-01T02:00:00Z', [3]],
    ['server=pbs-b', [8]],
    ['server=2', [8]],
    ['server_id=1&backup_id=101', [2, 6]],
    ['server=null', []],
    ['id=2&id=99999999999999999999', [2]],
    ['q=%D0%BD%D0%90%D1%81%D0%BB', [4]],
    ['q=0%25', [4]],
  ])('%s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected)
  })

  test('that is wrong is refused together with the others', async () => {
    const { status, json } = await api.ask('GET', `${root}/snapshots/?id=x&server=nope&backup_type=`)
    expect(status).toBe(400)
    expect(json).toEqual({
      id: ['Enter a whole number.'],
      backup_type: ['Select a valid choice.  is not one of the available choices.'],
      server: ['Select a valid choice. nope is not one of the available choices.'],
    })
  })

  test('without a meaning changes nothing and is named in a header', async () => {
    const { json, headers } = await api.ask('GET', `${root}/snapshots/?nope=1&b%0Ad=2&limit=1`)
    expect(json.count).toBe(8)
    expect(headers.get('x-ignored-parameters')).toBe('nope, b%0Ad')
    expect((await api.ask('GET', `${root}/snapshots/?limit=1`)).headers.has('x-ignored-parameters')).toBe(false)
  })
})

describe('fields', () => {
  test.each([
    ['brief=0', ['id', 'url', 'display', 'name']],
    ['fields=name,nope', ['name']],
    ['fields=id&omit=id&brief=1', ['id']],
    ['fields=nope', []],
  ])('%s', async (query, names) => {
    const { json } = await api.ask('GET', `${root}/servers/1/?${query}`)
    expect(Object.keys(json)).toEqual(names)
  })

  test('omit wins over brief', async () => {
    const { json } = await api.ask('GET', `${root}/servers/1/?brief=1&omit=name,tags`)
    expect(json).toMatchObject({ host: '192.0.2.1' })
    expect(json).not.toHaveProperty('name')
    expect(json).not.toHaveProperty('tags')
  })
})

test('HEAD has the headers of GET and no body, OPTIONS describes the fields', async () => {
  const head = await api.ask('HEAD', `${root}/servers/1/`)
  expect(head).toMatchObject({ status: 200, text: '' })
  expect(head.headers.get('etag')).toMatch(/^W\//)
  const { json } = await api.ask('OPTIONS', `${root}/servers/`)
  expect(json.actions.POST.port).toEqual({
    type: 'integer',
    required: false,
    read_only: false,
    label: 'Port',
    min_value: 1,
    max_value: 65535,
  })
  expect((await api.ask('OPTIONS', `${root}/groups/`)).json).not.toHaveProperty('actions')
})

test('namespaces and groups are read only', async () => {
  for (const path of ['namespaces', 'groups']) {
    const { status, headers, json } = await api.ask('POST', `${root}/${path}/`, { body: {} })
    expect([status, headers.get('allow'), json]).toEqual([
      405,
      'GET, HEAD, OPTIONS',
      { detail: 'Method "POST" not allowed.' },
    ])
  }
})
