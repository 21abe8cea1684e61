import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, type Ask, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs/'
const gateway = fakeGateway()
let api: TestApi
let paper: Answer
let connected: Answer
let tank: Answer
let branchId = 0
let headers: Record<string, string> = {}
let nth = 0

/** Asks main, or the branch of the test. */
const main = (method: string, path: string, ask: Ask = {}) => api.ask(method, `${root}${path}`, ask)
const inBranchPath = (method: string, path: string, ask: Ask = {}) =>
  api.ask(method, `${root}${path}`, { ...ask, headers: { ...headers, ...ask.headers } })

beforeAll(async () => {
  api = await startTestApi(gateway.layer)
  const server = { host: 'pbs.example', token_id: 'sync@pbs!main' }
  paper = await main('POST', 'servers/', { body: { ...server, name: 'paper' } })
  connected = await main('POST', 'servers/', { body: { ...server, name: 'connected', token_secret: 'c0ffee' } })
  const store = { server: paper.json.id, name: 'tank', path: '/mnt/tank', used_bytes: 5, gc_status: 'ok' }
  tank = await main('POST', 'datastores/', { body: store })
  expect([paper.status, connected.status, tank.status]).toEqual([201, 201, 201])
})
beforeEach(async () => {
  const { json } = await main('POST', 'branches/', { body: { name: `branch ${++nth}` } })
  branchId = json.id
  headers = { 'X-NetBox-Branch': json.schema_id }
})
/** Each test must leave main and the gateway unchanged. */
afterEach(async () => {
  for (const row of [paper, connected, tank])
    expect((await api.ask('GET', row.json.url.slice(api.url.length))).json).toEqual(row.json)
  expect((await main('GET', 'datastores/')).json.count).toBe(1)
  expect((await main('GET', 'servers/')).json.count).toBe(2)
  expect(gateway.endpoints.size).toBe(1)
})
afterAll(() => api.stop())

const one = (row: Answer) => row.json.url.slice(`${api.url}${root}`.length)
const names = ({ json }: Answer) => json.results.map(({ name }: { name: string }) => name)

describe('in a branch', () => {
  test('a row is made, found by header and by parameter, and is not in main', async () => {
    const body = { server: 'paper', name: 'vault', path: '/mnt/vault' }
    const made = await inBranchPath('POST', 'datastores/', { body })
    expect([made.status, made.headers.get('location')]).toEqual([201, made.json.url])
    expect(made.json).toMatchObject({ server: { name: 'paper' }, name: 'vault', used_bytes: null })
    expect((await inBranchPath('GET', one(made))).json).toEqual(made.json)
    expect((await main('GET', `${one(made)}?_branch=${headers['X-NetBox-Branch']}`)).json).toEqual(made.json)
    expect((await main('GET', one(made))).status).toBe(404)
    expect(names(await inBranchPath('GET', 'datastores/?server=paper'))).toEqual(['tank', 'vault'])
    expect((await inBranchPath('GET', `datastores/?q=vault`)).json.count).toBe(1)
    expect((await main('GET', `datastores/?q=vault`)).json.count).toBe(0)
    expect((await main('GET', `branches/${branchId}/changes/`)).json.results).toMatchObject([
      { object_id: made.json.id, action: { value: 'create' }, object_repr: 'paper/vault' },
    ])
  })

  test('a new server carries datastores of its own, named by its name', async () => {
    const server = await inBranchPath('POST', 'servers/', {
      body: { name: 'new', host: 'new.example', token_id: 'a@pbs!b' },
    })
    expect(server.status).toBe(201)
    const store = await inBranchPath('POST', 'datastores/', { body: { server: 'new', name: 'tank', path: '/new' } })
    expect(store.json).toMatchObject({ server: { id: server.json.id, name: 'new' } })
    expect(await main('POST', 'datastores/', { body: { server: 'new', name: 'tank', path: '/new' } })).toMatchObject({
      status: 400,
      json: { server: [expect.stringContaining('Related objects must be referenced')] },
    })
    expect((await inBranchPath('GET', 'datastores/?server=new')).json.count).toBe(1)
    expect((await main('GET', 'datastores/?server=new')).status).toBe(400)
  })

  test('several rows are made at once, all or none', async () => {
    const store = (name: string) => ({ server: 'paper', name, path: '/mnt' })
    const taken = await inBranchPath('POST', 'datastores/', { body: [store('vault'), store('tank')] })
    expect(taken).toMatchObject({
      status: 400,
      json: { errors: [{ index: 1, errors: { __all__: ['Datastore with this Server and Name already exists.'] } }] },
    })
    expect((await inBranchPath('GET', 'datastores/')).json.count).toBe(1)
    expect((await inBranchPath('POST', 'datastores/', { body: [store('vault'), store('attic')] })).status).toBe(201)
    expect(names(await inBranchPath('GET', 'datastores/?server=paper'))).toEqual(['attic', 'tank', 'vault'])
  })

  test('a row changes under its ETag, which is the branch’s', async () => {
    const before = await inBranchPath('GET', one(tank))
    const etag = before.headers.get('etag') ?? ''
    const change = (comment: string, ifMatch: string) =>
      inBranchPath('PATCH', one(tank), { body: { comment }, headers: { 'If-Match': ifMatch } })
    const changed = await change('in the branch', etag)
    expect([changed.status, changed.json.comment]).toEqual([200, 'in the branch'])
    expect(changed.headers.get('etag')).not.toBe(etag)
    expect((await main('GET', one(tank))).headers.get('etag')).toBe(etag)
    const stale = await change('late', etag)
    expect([stale.status, stale.headers.get('etag')]).toEqual([412, changed.headers.get('etag')])
    expect((await change('again', changed.headers.get('etag') ?? '')).status).toBe(200)
    expect((await inBranchPath('DELETE', one(tank), { headers: { 'If-Match': etag } })).status).toBe(412)
  })

  test('a row is changed and deleted as part of a list', async () => {
    const body = [{ id: tank.json.id, comment: 'in a list' }]
    expect((await inBranchPath('PATCH', 'datastores/', { body })).json).toMatchObject([{ comment: 'in a list' }])
    expect((await inBranchPath('DELETE', 'datastores/', { body: [{ id: tank.json.id }] })).status).toBe(204)
    expect(await inBranchPath('PATCH', 'datastores/', { body })).toMatchObject({
      status: 400,
      json: { detail: '1 of 1 objects could not be found.' },
    })
  })

  test('a deleted row is gone, and a deleted server with all below it', async () => {
    expect((await inBranchPath('DELETE', one(tank))).status).toBe(204)
    expect((await inBranchPath('GET', one(tank))).status).toBe(404)
    expect((await inBranchPath('DELETE', one(tank))).status).toBe(404)
    expect((await inBranchPath('GET', `${one(tank)}usage/`)).status).toBe(404)
    expect((await main('GET', `${one(tank)}usage/`)).status).toBe(200)
    expect((await inBranchPath('DELETE', one(paper))).status).toBe(204)
    expect(names(await inBranchPath('GET', 'servers/'))).toEqual(['connected'])
  })

  test('links to other pages stay in the branch that the parameter names', async () => {
    await inBranchPath('POST', 'datastores/', { body: { server: 'paper', name: 'vault', path: '/mnt/vault' } })
    const { json } = await main('GET', `datastores/?limit=1&_branch=${headers['X-NetBox-Branch']}`)
    expect([json.count, new URL(json.next).searchParams.get('_branch')]).toEqual([2, headers['X-NetBox-Branch']])
    const next = await api.ask('GET', json.next.slice(api.url.length))
    expect(next.json.results).toHaveLength(1)
    expect(new URL(next.json.previous).searchParams.get('_branch')).toBe(headers['X-NetBox-Branch'])
    expect(
      (await main('GET', `datastores/?_branch=${headers['X-NetBox-Branch']}`)).headers.get('x-ignored-parameters'),
    ).toBe(null)
  })

  test('OPTIONS says what can be written', async () => {
    expect((await inBranchPath('OPTIONS', 'datastores/')).json).toEqual((await main('OPTIONS', 'datastores/')).json)
  })
})

describe('what a branch does not take', () => {
  test('is a secret: the gateway is not asked', async () => {
    const sentence = ['A connection to a server is not branched: send its secret in main.']
    const body = { name: 'new', host: 'new.example', token_id: 'a@pbs!b', token_secret: 'c0ffee' }
    expect(await inBranchPath('POST', 'servers/', { body })).toMatchObject({
      status: 400,
      json: { token_secret: sentence },
    })
    expect(await inBranchPath('POST', 'servers/', { body: [body] })).toMatchObject({
      status: 400,
      json: { errors: [{ index: 0, errors: { token_secret: sentence } }] },
    })
    const secret = { token_secret: 'other' }
    for (const row of [paper, connected]) {
      expect(await inBranchPath('PATCH', one(row), { body: secret })).toMatchObject({
        status: 400,
        json: { token_secret: sentence },
      })
      expect(await inBranchPath('PATCH', 'servers/', { body: [{ id: row.json.id, ...secret }] })).toMatchObject({
        status: 400,
        json: { errors: [{ id: row.json.id, errors: { token_secret: sentence } }] },
      })
    }
  })

  test.each([
    ['name', 'moved'],
    ['host', 'moved.example'],
    ['port', 8008],
    ['token_id', 'other@pbs!main'],
    ['fingerprint', 'aa:bb'],
    ['verify_ssl', false],
  ])('is another %s of a connected server; one that is inventory only takes it', async (field, value) => {
    expect(await inBranchPath('PATCH', one(connected), { body: { [field]: value } })).toMatchObject({
      status: 400,
      json: {
        [field]: ['This server is connected, and its endpoint at the gateway is not branched: change this in main.'],
      },
    })
    expect((await inBranchPath('PATCH', one(paper), { body: { [field]: value } })).json).toMatchObject({
      [field]: value,
    })
  })

  test('is the deletion of a connected server', async () => {
    const { status, json } = await inBranchPath('DELETE', one(connected))
    expect([status, json.detail]).toEqual([
      400,
      'Server connected is connected, and its endpoint at the gateway is not branched: delete it in main.',
    ])
    expect((await inBranchPath('DELETE', 'servers/', { body: [{ id: connected.json.id }] })).status).toBe(400)
    expect((await inBranchPath('GET', one(connected))).status).toBe(200)
  })

  test('a connected server sent back as it was read, with another schedule, is taken', async () => {
    const { json } = await inBranchPath('GET', one(connected))
    const body = { ...json, status: json.status.value, sync_interval_minutes: 5 }
    const changed = await inBranchPath('PUT', one(connected), { body })
    expect([changed.status, changed.json.sync_interval_minutes]).toEqual([200, 5])
  })

  test('is another observation of a row; the same one is accepted, and a new row carries its first', async () => {
    const sentence = ['Observations are not branched: leave this field out, or write it in main.']
    const body = { used_bytes: 6, gc_status: 'error', last_seen_at: '2026-05-01T02:00:00Z', comment: 'c' }
    expect(await inBranchPath('PATCH', one(tank), { body })).toMatchObject({
      status: 400,
      json: { used_bytes: sentence, gc_status: sentence, last_seen_at: sentence },
    })
    expect((await inBranchPath('GET', one(tank))).json.comment).toBe('')
    const same = { used_bytes: 5, gc_status: 'ok', last_seen_at: null }
    expect((await inBranchPath('PATCH', one(tank), { body: same })).status).toBe(200)
    expect((await main('GET', `branches/${branchId}/`)).json.change_count).toBe(0)
    const made = await inBranchPath('POST', 'datastores/', {
      body: { server: 'paper', name: 'vault', path: '/', ...same },
    })
    expect(made.json).toMatchObject({ used_bytes: 5, gc_status: { value: 'ok' } })
  })

  test('is a test of a connection', async () => {
    expect((await inBranchPath('POST', `${one(connected)}test/`)).status).toBe(400)
  })
})

test('one branch knows nothing of another', async () => {
  await inBranchPath('POST', 'datastores/', { body: { server: 'paper', name: 'vault', path: '/mnt/vault' } })
  const { json } = await main('POST', 'branches/', { body: { name: 'another' } })
  expect((await main('GET', `datastores/?_branch=${json.schema_id}`)).json.count).toBe(1)
})
