import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from '../support/test-api.ts'

// What a NetBox answers to lists and filters, sentence by sentence: sections 1 and 2 of the notes on its REST.

const root = '/api/plugins/pbs'
const most = Number.MAX_SAFE_INTEGER
let api: TestApi

const servers = [
  {
    name: 'alpha',
    host: '192.0.2.10',
    token_id: 'root@pam!a',
    fingerprint: 'aa:bb',
    status: 'reachable',
    version: '4.2-1',
    last_seen_at: '2026-01-02T03:04:05Z',
  },
  { name: 'Beta', host: 'beta.example.com', token_id: 'svc user@pbs!tok', port: 8443, verify_ssl: false },
  { name: 'Гамма №3', host: '2001:db8::1', token_id: 'a@pbs!b', port: 443, status: 'unreachable', version: '3.4-1' },
]
const datastores = [
  { server: 1, name: 'archive', path: '/mnt/a', used_bytes: 0, gc_status: 'ok', comment: '100% "full"' },
  { server: 1, name: 'tank', path: '/mnt/b', used_bytes: 5, gc_status: 'error' },
  { server: 2, name: 'tank', path: '/mnt/C', used_bytes: null, gc_status: 'running', comment: 'under_score' },
  { server: 3, name: 'хранилище', path: '/mnt/d', used_bytes: most, comment: 'Größe \\ size' },
]
const snapshots = Array.from({ length: 12 }, (_, nth) => ({
  server: nth < 8 ? 1 : 2,
  datastore_name: nth % 2 === 0 ? 'archive' : 'tank',
  namespace: nth % 3 === 0 ? '' : 'site-a',
  backup_type: ['vm', 'ct', 'host'][nth % 3],
  backup_id: String(100 + (nth % 4)),
  backup_time: `2026-05-01T${String(nth).padStart(2, '0')}:00:00${nth === 3 ? '.250000' : ''}Z`,
  size_bytes: nth % 4 === 0 ? null : nth,
  protected: nth % 2 === 1,
  owner: ['', 'root@pam', 'Größe@pbs'][nth % 3],
}))
const jobs = [
  { server: 1, job_type: 'gc', job_id: 'tank', last_run_state: 'ok', next_run: '2026-01-03T00:00:00Z' },
  { server: 1, job_type: 'verify', job_id: 'v-1', last_run_state: 'error', disable: true },
  { server: 2, job_type: 'sync', job_id: 'V-2', schedule: 'mon..fri 02:30', comment: 'first' },
]

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  for (const [path, body] of Object.entries({ servers, datastores, snapshots, jobs })) {
    expect((await api.ask('POST', `${root}/${path}/`, { body })).status).toBe(201)
  }
})
afterAll(() => api.stop())

const get = (path: string): Promise<Answer> => api.ask('GET', `${root}/${path}`)

/** The ids that a list has, in the order of ids. */
async function found(path: string): Promise<ReadonlyArray<number>> {
  const { status, json } = await get(`${path}&limit=0`)
  expect([path, status]).toEqual([path, 200])
  expect(json.count).toBe(json.results.length)
  return json.results.map(({ id }: { id: number }) => id).toSorted((a: number, b: number) => a - b)
}

const nth = (...ids: ReadonlyArray<number>) => ids
const all = { servers: nth(1, 2, 3), datastores: nth(1, 2, 3, 4), jobs: nth(1, 2, 3) }
const refused = (path: string, body: unknown) => async () => {
  const { status, json } = await get(path)
  expect([status, json]).toEqual([400, body])
}

describe('1 Lists, paging, field selection', () => {
  test('1: an envelope has exactly four keys, in their order, and counts all matches', async () => {
    const { json } = await get('snapshots/?limit=2&protected=true')
    expect(Object.keys(json)).toEqual(['count', 'next', 'previous', 'results'])
    expect([json.count, json.results.length, json.previous]).toEqual([6, 2, null])
  })

  test.each([
    ['limit=0', 12],
    ['limit=5000', 12],
    ['limit=-1', 12],
    ['limit=x', 12],
    ['limit=', 12],
    ['limit=5', 5],
    ['limit=3&limit=2', 2],
    ['limit=2&offset=-3', 2],
    ['limit=2&offset=x', 2],
    ['offset=12', 0],
    ['offset=5000', 0],
    ['page=2', 12],
  ])('1: %s never fails', async (query, length) => {
    const { status, json } = await get(`snapshots/?${query}`)
    expect([status, json.count, json.results.length]).toEqual([200, 12, length])
  })

  test.each([
    ['limit=2', '?limit=2&offset=2', null],
    ['limit=2&offset=2', '?limit=2&offset=4', '?limit=2'],
    ['limit=2&offset=1', '?limit=2&offset=3', '?limit=2'],
    ['limit=2&offset=11', null, '?limit=2&offset=9'],
    ['offset=12', null, '?limit=50'],
    ['limit=5&offset=12', null, '?limit=5&offset=7'],
    ['q=site&limit=1&fields=id,name', '?fields=id%2Cname&limit=1&offset=1&q=site', null],
    ['limit=1&limit=2&backup_id=101&backup_id=100', '?backup_id=101&backup_id=100&limit=2&offset=2', null],
  ])('1: the links of %s', async (query, next, previous) => {
    const { json } = await get(`snapshots/?${query}`)
    const link = (page: string | null) => (page === null ? null : `${api.url}${root}/snapshots/${page}`)
    expect([json.next, json.previous]).toEqual([link(next), link(previous)])
  })

  test.each([
    ['start=0&limit=5', 5, '?limit=5&start=6'],
    ['start=6&limit=6', 6, null],
    ['start=9&limit=4', 4, '?limit=4&start=13'],
    ['start=13&limit=4', 0, null],
    ['start=1&limit=0', 12, null],
    ['start=0&limit=2&backup_type=vm', 2, '?backup_type=vm&limit=2&start=5'],
  ])('1: the cursor %s', async (query, length, next) => {
    const { json } = await get(`snapshots/?${query}`)
    const full = query === 'start=6&limit=6' ? '?limit=6&start=12' : next
    expect([json.count, json.previous, json.results.length]).toEqual([null, null, length])
    // A full page has a next one even when nothing follows it.
    expect(json.next).toBe(
      full === null
        ? null
        : `${api.url}${root}/snapshots/${full.replace('start=12', `start=${json.results.at(-1).id + 1}`)}`,
    )
    const ids = json.results.map(({ id }: { id: number }) => id)
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b))
  })

  test.each([
    ['start=0&offset=0', "'start' and 'offset' are mutually exclusive."],
    ['start=0&ordering=id', 'Ordering cannot be specified in conjunction with cursor-based pagination.'],
    ['start=-1', "Invalid 'start' parameter: must be a non-negative integer."],
    ['start=x', "Invalid 'start' parameter: must be a non-negative integer."],
  ])('1: %s is refused with a bare list', (query, sentence) => refused(`snapshots/?${query}`, [sentence])())

  test.each([
    ['brief=1', ['id', 'url', 'display', 'name']],
    ['brief=0', ['id', 'url', 'display', 'name']],
    ['brief=false', ['id', 'url', 'display', 'name']],
    ['fields=id,nope', ['id']],
    ['fields=nope', []],
    ['fields=id,url&omit=url', ['id', 'url']],
    ['fields=name&brief=1', ['name']],
  ])('1: %s shows exactly these fields, in lists and details', async (query, names) => {
    expect(Object.keys((await get(`servers/1/?${query}`)).json)).toEqual(names)
    for (const row of (await get(`servers/?${query}`)).json.results) expect(Object.keys(row)).toEqual(names)
  })

  test('1: an empty brief is none, and omit wins over brief', async () => {
    const whole = Object.keys((await get('servers/1/')).json)
    expect(Object.keys((await get('servers/1/?brief=')).json)).toEqual(whole)
    expect(Object.keys((await get('servers/1/?brief=1&omit=host')).json)).toEqual(
      whole.filter((name) => name !== 'host'),
    )
  })

  test.each([
    ['snapshots/?ordering=-backup_time', 12, 1],
    ['snapshots/?ordering=size_bytes,id', 2, 9],
    ['snapshots/?ordering=-size_bytes,id', 1, 2],
    ['snapshots/?ordering=-protected,-id', 12, 1],
    ['snapshots/?ordering=nope', 11, 6],
    ['snapshots/?ordering=id,nope,-id', 1, 12],
    ['snapshots/?ordering=owner&ordering=-id', 12, 1],
    ['snapshots/?ordering=--id', 11, 6],
    ['servers/?ordering=-name', 3, 2],
    ['datastores/?ordering=used_bytes', 1, 3],
    ['datastores/?ordering=-used_bytes', 3, 1],
    ['datastores/?ordering=-server,name', 4, 3],
    ['jobs/?ordering=last_run_state', 2, 3],
    ['jobs/?ordering=-next_run,id', 2, 1],
    ['jobs/?ordering=created,-id', 3, 1],
  ])('1: %s orders by any column, nulls last ascending', async (path, first, last) => {
    const { json } = await get(path)
    const ids: ReadonlyArray<number> = json.results.map(({ id }: { id: number }) => id)
    expect(ids.at(0)).toBe(first)
    expect(ids.at(-1)).toBe(last)
  })

  test.each([
    ['servers/?q=BETA', [2]],
    ['servers/?q=%20', all.servers],
    ['servers/?q=', all.servers],
    ['servers/?q=%D0%B3%D0%B0%D0%BC', [3]],
    ['servers/?q=aa:b', [1]],
    ['datastores/?q=alpha', [1, 2]],
    ['datastores/?q=%25', [1]],
    ['jobs/?q=FIRST', [3]],
  ])('1: %s looks for free text', async (path, ids) => {
    expect(await found(path)).toEqual(ids)
  })

  test('1: id is OR, and a list of ids in one parameter is none', async () => {
    expect(await found('servers/?id=1&id=3&id=999')).toEqual([1, 3])
    await refused('servers/?id=1,2', { id: ['Enter a whole number.'] })()
    expect(await found('servers/?id__in=1,2')).toEqual(all.servers)
  })

  test('1: created and last_updated are ranges', async () => {
    expect(await found('servers/?created__gte=2000-01-01&last_updated__gt=2000-01-01%2000:00')).toEqual(all.servers)
    expect(await found('servers/?created__lt=2000-01-01')).toEqual([])
    const { json } = await get('servers/2/')
    expect(await found(`servers/?id=2&last_updated=${json.last_updated}`)).toEqual([2])
    expect(await found(`servers/?id=2&last_updated__gt=${json.last_updated}`)).toEqual([])
    await refused('servers/?last_updated__gte=soon', { last_updated__gte: ['Enter a valid date/time.'] })()
  })

  test('1: created_by_request and its siblings match through the change log', async () => {
    const body = { server: 3, job_type: 'prune', job_id: 'p' }
    const made = await api.ask('POST', `${root}/jobs/`, { body })
    const by = made.headers.get('x-request-id') ?? ''
    const changed = await api.ask('PATCH', `${root}/jobs/2/`, { body: { comment: 'changed' } })
    const later = changed.headers.get('x-request-id') ?? ''
    expect(await found(`jobs/?created_by_request=${by}`)).toEqual([made.json.id])
    expect(await found(`jobs/?modified_by_request=${by}`)).toEqual([made.json.id])
    expect(await found(`jobs/?updated_by_request=${by}`)).toEqual([])
    expect(await found(`jobs/?updated_by_request=${later}`)).toEqual([2])
    expect(await found(`jobs/?modified_by_request=${later}`)).toEqual([2])
    expect(await found(`servers/?modified_by_request=${later}`)).toEqual([])
    expect(await found('servers/?created_by_request=')).toEqual(all.servers)
    await refused('jobs/?created_by_request=abc', { created_by_request: ['Enter a valid UUID.'] })()
    expect((await api.ask('DELETE', `${root}/jobs/${made.json.id}/`)).status).toBe(204)
  })
})

describe('2 Filter lookups', () => {
  test.each([
    ['name=alpha', [1]],
    ['name=ALPHA', []],
    ['name=%20alpha%20', [1]],
    ['name=alpha&name=Beta', [1, 2]],
    ['name__n=alpha', [2, 3]],
    ['name__n=alpha&name__n=Beta', [3]],
    ['name__n=ALPHA', [1, 2, 3]],
    ['name__ic=A', [1, 2]],
    ['name__ic=ALP&name__ic=%D0%93%D0%90', [1, 3]],
    ['name__nic=a', [3]],
    ['name__ie=ALPHA', [1]],
    ['name__ie=alpha-1', []],
    ['name__nie=ALPHA', [2, 3]],
    ['name__isw=BE', [2]],
    ['name__nisw=BE&name__nisw=al', [3]],
    ['name__iew=TA', [2]],
    ['name__niew=ta', [1, 3]],
    ['name__regex=%5Ea', [1]],
    ['name__regex=%5EA', []],
    ['name__iregex=%5EA', [1]],
    ['name__iregex=%D0%93%D0%B0', [3]],
    ['name__empty=true', []],
    ['name__empty=false', [1, 2, 3]],
    ['version__empty=true', [2]],
    ['version__empty=True', [2]],
    ['version__empty=false', [1, 3]],
    ['version__n=4.2-1', [2, 3]],
    ['token_id__ic=@PBS!', [2, 3]],
    ['fingerprint__isw=AA', [1]],
    ['host__ic=%25', []],
    ['host__ic=_', []],
    ['host__ic=.&name__ic=beta', [2]],
  ])('2: a string: servers by %s', async (query, ids) => {
    expect(await found(`servers/?${query}`)).toEqual(ids)
  })

  test.each([
    ['comment__ic=%25', [1]],
    ['comment__ic=_', [3]],
    ['comment__ic=%5C', [4]],
    ['comment__ic=GR%C3%96SSE', []],
    ['comment__isw=gr%C3%96%C3%9Fe', [4]],
    ['comment__iew=%22FULL%22', [1]],
    ['comment__nic=%25', [2, 3, 4]],
    ['comment__empty=true', [2]],
    ['path__regex=%2F%5Ba-c%5D%24', [1, 2]],
    ['path__iregex=%2F%5Ba-c%5D%24', [1, 2, 3]],
  ])('2: no character of a text is special: datastores by %s', async (query, ids) => {
    expect(await found(`datastores/?${query}`)).toEqual(ids)
  })

  test.each([
    ['datastores/?used_bytes=5', [2]],
    ['datastores/?used_bytes=5&used_bytes=0', [1, 2]],
    ['datastores/?used_bytes=5.0', [2]],
    ['datastores/?used_bytes__n=5', [1, 3, 4]],
    ['datastores/?used_bytes__n=5&used_bytes__n=0', [3, 4]],
    ['datastores/?used_bytes__lt=5', [1]],
    ['datastores/?used_bytes__lte=5', [1, 2]],
    ['datastores/?used_bytes__gt=5', [4]],
    ['datastores/?used_bytes__gte=5', [2, 4]],
    ['datastores/?used_bytes__empty=true', [3]],
    ['datastores/?used_bytes__empty=false', [1, 2, 4]],
    [`datastores/?used_bytes=${most}`, [4]],
    [`datastores/?used_bytes__lt=${most}`, [1, 2]],
    ['datastores/?used_bytes__lt=9223372036854775808', [1, 2, 4]],
    ['datastores/?used_bytes__gt=9223372036854775808', []],
    ['datastores/?used_bytes__n=9223372036854775808', all.datastores],
    ['datastores/?used_bytes__gt=-1e', null],
    ['servers/?port__gt=8443&port__gt=8006', [1, 2]],
    ['servers/?port=-1', []],
    ['servers/?id__lt=2&id__lt=3', [1, 2]],
    ['servers/?id__n=1&id__n=2', [3]],
    ['servers/?id__empty=true', []],
    ['servers/?id=0', []],
  ])('2: a number: %s', async (path, ids) => {
    if (ids === null) await refused(path, { used_bytes__gt: ['Enter a whole number.'] })()
    else expect(await found(path)).toEqual(ids)
  })

  test.each([
    ['jobs/?next_run=2026-01-03', [1]],
    ['jobs/?next_run=2026-01-03T03:00:00%2B03:00', [1]],
    ['jobs/?next_run__n=2026-01-03', [2, 3]],
    ['jobs/?next_run__gte=2026-01-03%2000:00', [1]],
    ['jobs/?next_run__gt=2026-01-03', []],
    ['jobs/?next_run__lt=2027-01-01', [1]],
    ['jobs/?next_run__lte=2026-01-02', []],
    ['jobs/?next_run__empty=true', [2, 3]],
    ['jobs/?next_run__empty=false', [1]],
    ['snapshots/?backup_time__gt=2026-05-01T03:00:00Z&backup_time__lt=2026-05-01T03:00:00.250001Z', [4]],
    ['snapshots/?backup_time=2026-05-01T03:00:00.25Z', [4]],
    ['snapshots/?last_seen_at__empty=false', []],
    ['servers/?last_seen_at__lte=2026-01-02T03:04:05Z', [1]],
  ])('2: a time: %s', async (path, ids) => {
    expect(await found(path)).toEqual(ids)
  })

  test.each([
    ['servers/?status=reachable', [1]],
    ['servers/?status=reachable&status=unknown', [1, 2]],
    ['servers/?status__n=unknown', [1, 3]],
    ['servers/?status__ic=reachable', [1, 3]],
    ['servers/?status__isw=reachable', [1]],
    ['servers/?status__empty=true', []],
    ['servers/?status__empty=false', all.servers],
    ['datastores/?gc_status__n=ok&gc_status__n=error', [3, 4]],
    ['datastores/?gc_status__nie=ok', [2, 3, 4]],
    ['jobs/?job_type=gc&job_type=sync&last_run_state=ok', [1]],
  ])('2: a choice: %s', async (path, ids) => {
    expect(await found(path)).toEqual(ids)
  })

  test.each([
    ['datastores/?server_id=1', [1, 2]],
    ['datastores/?server_id=1&server_id=3', [1, 2, 4]],
    ['datastores/?server_id__n=1', [3, 4]],
    ['datastores/?server=Beta', [3]],
    ['datastores/?server__n=Beta&server__n=alpha', [4]],
    ['datastores/?server=Beta&server_id=1', []],
    ['datastores/?server_id=null', []],
    ['datastores/?server_id__n=null', all.datastores],
    ['jobs/?server=null', []],
  ])('2: a foreign key: %s', async (path, ids) => {
    expect(await found(path)).toEqual(ids)
  })

  test.each([
    ['servers/?verify_ssl=true', [1, 3]],
    ['servers/?verify_ssl=False', [2]],
    ['servers/?verify_ssl=true&verify_ssl=false', [2]],
    ['jobs/?disable=True', [2]],
  ])('2: a boolean: %s', async (path, ids) => {
    expect(await found(path)).toEqual(ids)
  })

  test.each([
    ['servers/?verify_ssl=1', 'verify_ssl'],
    ['servers/?verify_ssl=null', 'verify_ssl'],
    ['servers/?verify_ssl__n=true', 'verify_ssl__n'],
    ['servers/?version__empty=1', 'version__empty'],
    ['servers/?name__gt=1', 'name__gt'],
    ['servers/?name__zz=1', 'name__zz'],
    ['servers/?port__ic=1', 'port__ic'],
    ['servers/?unknown=1', 'unknown'],
    ['servers/?q__ic=1', 'q__ic'],
    ['servers/?created_by_request__n=1', 'created_by_request__n'],
    ['jobs/?server__ic=a', 'server__ic'],
    ['jobs/?server__name=a', 'server__name'],
    ['jobs/?server_id__gt=1', 'server_id__gt'],
  ])('2: what %s asks for is unknown and ignored, and named in a header', async (path, name) => {
    const { status, json, headers } = await get(path)
    expect([status, json.count, headers.get('x-ignored-parameters')]).toEqual([200, 3, name])
  })

  test.each([
    'name=',
    'name__n=',
    'name__ic=',
    'name__regex=',
    'name__empty=',
    'id=',
    'id__gt=',
    'port=',
    'last_seen_at=',
    'verify_ssl=',
    'q=',
  ])('2: an empty value is no filter: %s', async (query) => {
    expect(await found(`servers/?${query}`)).toEqual(all.servers)
  })

  test.each([
    ['name=null', []],
    ['name__n=null', all.servers],
    ['name=null&name=alpha', [1]],
    ['name__ie=null', []],
    ['name__nie=null', all.servers],
  ])('2: the word null is no value: servers by %s', async (query, ids) => {
    expect(await found(`servers/?${query}`)).toEqual(ids)
  })

  const notAChoice = (text: string) => `Select a valid choice. ${text} is not one of the available choices.`
  test.each([
    ['servers/?id=abc', { id: ['Enter a whole number.'] }],
    ['servers/?port=1.5', { port: ['Enter a whole number.'] }],
    ['servers/?port__gt=x', { port__gt: ['Enter a whole number.'] }],
    ['servers/?port=null', { port: ['Enter a whole number.'] }],
    ['servers/?status=bogus', { status: [notAChoice('bogus')] }],
    ['servers/?status=', { status: [notAChoice('')] }],
    ['servers/?status__n=', { status__n: [notAChoice('')] }],
    ['servers/?status__ic=reach', { status__ic: [notAChoice('reach')] }],
    ['servers/?status=REACHABLE', { status: [notAChoice('REACHABLE')] }],
    ['servers/?status=null', { status: [notAChoice('null')] }],
    ['servers/?last_seen_at__gt=soon', { last_seen_at__gt: ['Enter a valid date/time.'] }],
    ['servers/?last_seen_at=null', { last_seen_at: ['Enter a valid date/time.'] }],
    ['jobs/?next_run__gte=2026-01-02T06:04:05+03:00', { next_run__gte: ['Enter a valid date/time.'] }],
    ['jobs/?server_id=999', { server_id: [notAChoice('999')] }],
    ['jobs/?server_id__n=999', { server_id__n: [notAChoice('999')] }],
    ['jobs/?server_id=abc', { server_id: ['“abc” is not a valid value.'] }],
    ['jobs/?server_id=', { server_id: ['“” is not a valid value.'] }],
    ['jobs/?server=nope', { server: [notAChoice('nope')] }],
    ['jobs/?server__n=nope', { server__n: [notAChoice('nope')] }],
    ['servers/?name__ic=a%00b', { name__ic: ['Null characters are not allowed.'] }],
    [
      'servers/?id=x&name__regex=[&port__lt=y',
      {
        id: ['Enter a whole number.'],
        name__regex: ['Enter a valid regular expression: brackets [] not balanced.'],
        port__lt: ['Enter a whole number.'],
      },
    ],
  ])('2: a bad value is a 400 under the parameter as sent: %s', (path, body) => refused(path, body)())

  test.each([
    ['name__ic=null', 'null stands for no value'],
    ['name__regex=(', 'parentheses () not balanced'],
    ['name__iregex=a**', 'Enter a valid regular expression'],
    [`name__regex=${'a'.repeat(256)}`, 'at most 255 characters'],
    ['name__regex=(a)%5C1', 'references back to a group'],
    ['name__regex=((a%7B9,99%7D)%7B9,99%7D)%7B9,99%7D', 'more than 255 characters'],
  ])('2: what fails in NetBox is refused: %s', async (query, sentence) => {
    const { status, json } = await get(`servers/?${query}`)
    expect([status, json]).toEqual([400, { [query.split('=')[0] ?? '']: [expect.stringContaining(sentence)] }])
  })

  test('2: filters hold together with a search, an order and a page, and in cursor mode', async () => {
    const { json } = await get(
      'snapshots/?owner__n=&namespace__ic=SITE&protected=true&size_bytes__gte=5&ordering=-id&limit=2&fields=id',
    )
    expect([json.count, json.results]).toEqual([3, [{ id: 12 }, { id: 8 }]])
    const cursor = await get('snapshots/?namespace__ic=SITE&start=3&limit=2&fields=id')
    expect(cursor.json).toMatchObject({ count: null, results: [{ id: 3 }, { id: 5 }] })
  })
})
