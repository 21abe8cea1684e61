import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
const server = { host: '192.0.2.1', token_id: 'a@pbs!b' }
const taken = { name: ['server with this name already exists.'] }
let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  await api.ask('POST', `${root}/servers/`, { body: { ...server, name: 'pbs-a' } })
})
afterAll(() => api.stop())

const count = async (model: string): Promise<number> => (await api.ask('GET', `${root}/${model}/?limit=1`)).json.count

test('a row that was made is answered with its address and its version', async () => {
  const { status, json, headers } = await api.ask('POST', `${root}/servers/`, { body: { ...server, name: ' made ' } })
  expect(status).toBe(201)
  expect(json).toMatchObject({ name: 'made', port: 8007, verify_ssl: true, status: { value: 'unknown' }, version: '' })
  expect(headers.get('location')).toBe(json.url)
  expect(headers.get('etag')).toBe(`W/"${json.last_updated}"`)
  expect((await api.ask('DELETE', `${root}/servers/${json.id}/`)).status).toBe(204)
})

describe('many rows', () => {
  test('are made in the order given', async () => {
    const bodies = ['z', 'y', 'x'].map((name) => ({ server: 'pbs-a', name, path: `/${name}` }))
    const { status, json, headers } = await api.ask('POST', `${root}/datastores/`, { body: bodies })
    expect([status, json.map(({ name }: { name: string }) => name)]).toEqual([201, ['z', 'y', 'x']])
    expect([headers.get('location'), headers.get('etag')]).toEqual([null, null])
  })

  test('are all refused for one of them, with every reason', async () => {
    const before = await count('servers')
    const body = [
      { ...server, name: 'new' },
      { ...server, name: 'pbs-a', port: 0 },
      { ...server, name: 'new' },
      5,
      { ...server, name: 'x', token_secret: 's' },
    ]
    const { status, json } = await api.ask('POST', `${root}/servers/`, { body })
    expect(status).toBe(400)
    expect(json).toEqual({
      detail: '4 of 5 objects could not be created.',
      errors: [
        { index: 1, errors: { port: ['Ensure this value is greater than or equal to 1.'], ...taken } },
        { index: 2, errors: taken },
        { index: 3, errors: { __all__: ['Invalid data. Expected a dictionary, but got int.'] } },
        { index: 4, errors: { token_secret: ['Send a server with its secret alone.'] } },
      ],
    })
    expect(await count('servers')).toBe(before)
  })

  test('that are none make none', async () => {
    expect(await api.ask('POST', `${root}/servers/`, { body: [] })).toMatchObject({ status: 201, json: [] })
  })
})

describe('a row is refused', () => {
  const snapshot = { server: 1, datastore_name: 'a', backup_type: 'vm', backup_id: '1', backup_time: '2026-05-01' }

  test('when its key is taken, whatever way it is written', async () => {
    const first = await api.ask('POST', `${root}/snapshots/`, { body: snapshot })
    expect(first.status).toBe(201)
    const again = { ...snapshot, server: { name: 'pbs-a' }, namespace: '', backup_time: '2026-05-01T02:00:00+02:00' }
    expect(await api.ask('POST', `${root}/snapshots/`, { body: again })).toMatchObject({
      status: 400,
      json: {
        __all__: [
          'Snapshot with this Server, Datastore name, Namespace, Backup type, Backup id and Backup time already exists.',
        ],
      },
    })
  })

  test.each([
    [null, { __all__: ['No data provided'] }],
    ['x', { __all__: ['Invalid data. Expected a dictionary, but got str.'] }],
    [
      {},
      { name: ['This field is required.'], host: ['This field is required.'], token_id: ['This field is required.'] },
    ],
  ])('when it is %j', async (body, errors) => {
    expect(await api.ask('POST', `${root}/servers/`, { body })).toMatchObject({ status: 400, json: errors })
  })
})

describe('a change', () => {
  test('answers the row with its new version, and keeps what was not named', async () => {
    const { json: made } = await api.ask('POST', `${root}/servers/`, { body: { ...server, name: 'change' } })
    const path = `${root}/servers/${made.id}/`
    const patched = await api.ask('PATCH', `${path}?brief=1`, { body: { version: '4.2' } })
    expect(patched).toMatchObject({ status: 200, json: { name: 'change', version: '4.2', host: server.host } })
    expect(patched.headers.get('etag')).not.toBe(`W/"${made.last_updated}"`)

    const stale = await api.ask('PATCH', path, {
      body: { version: '5' },
      headers: { 'If-Match': `W/"${made.last_updated}"` },
    })
    expect(stale).toMatchObject({ status: 412, json: { detail: 'Precondition failed.' } })
    expect(stale.headers.get('etag')).toBe(patched.headers.get('etag'))
    const current = { 'If-Match': `"other", ${patched.headers.get('etag')}` }
    expect((await api.ask('PATCH', path, { body: { version: '5' }, headers: current })).status).toBe(200)

    expect(await api.ask('PATCH', path, { body: { name: 'pbs-a' } })).toMatchObject({ status: 400, json: taken })
    expect(await api.ask('PUT', path, { body: { name: 'put' } })).toMatchObject({
      status: 400,
      json: { host: ['This field is required.'], token_id: ['This field is required.'] },
    })
    expect((await api.ask('DELETE', path)).status).toBe(204)
    expect(await api.ask('GET', path)).toMatchObject({
      status: 404,
      json: { detail: 'No Server matches the given query.' },
    })
  })

  test('of several rows names those that are not there', async () => {
    const body = [{ id: 1, version: '1' }, { id: 999999 }]
    expect(await api.ask('PATCH', `${root}/servers/`, { body })).toMatchObject({
      status: 400,
      json: {
        detail: '1 of 2 objects could not be found.',
        errors: [{ id: 999999, errors: { id: ['Object with ID 999999 does not exist'] } }],
      },
    })
  })

  test("of a list of one is made, or refused in the list's form", async () => {
    const good = await api.ask('PATCH', `${root}/servers/`, { body: [{ id: 1, version: '9' }] })
    expect(good).toMatchObject({ status: 200, json: [{ id: 1, version: '9' }] })
    const bad = await api.ask('PATCH', `${root}/servers/`, { body: [{ id: 1, port: 'x' }] })
    expect(bad).toMatchObject({
      status: 400,
      json: {
        detail: '1 of 1 objects could not be updated.',
        errors: [{ id: 1, errors: { port: ['A valid integer is required.'] } }],
      },
    })
  })
})
