import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const objectives = '/api/plugins/pbs/objectives/'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api.stop())

const make = (body: object) => api.ask('POST', objectives, { body })

describe('an objective', () => {
  test('is made with defaults, changed and deleted', async () => {
    const made = await make({ name: 'whole', hours: 26 })
    const { id } = made.json
    expect(made.status).toBe(201)
    expect(made.json).toEqual({
      id,
      url: `${api.url}${objectives}${id}/`,
      display: 'whole',
      name: 'whole',
      weight: 1000,
      server: null,
      datastore: null,
      namespace: null,
      backup_type: null,
      backup_id: null,
      tag: null,
      hours: 26,
      comment: '',
      created: expect.any(String),
      last_updated: expect.any(String),
    })
    const one = `${objectives}${id}/`
    const changed = await api.ask('PATCH', one, { body: { hours: null, backup_type: 'v?', namespace: '' } })
    expect(changed.json).toMatchObject({ hours: null, backup_type: 'v?', namespace: '' })
    // A client may send back what it has read.
    expect((await api.ask('PUT', one, { body: changed.json })).status).toBe(200)
    const stale = { 'If-Match': 'W/"2020-01-01T00:00:00Z"' }
    expect((await api.ask('PATCH', one, { body: { hours: 4 }, headers: stale })).status).toBe(412)
    expect((await api.ask('DELETE', one)).status).toBe(204)
    expect((await api.ask('GET', one)).status).toBe(404)
    const log = await api.ask('GET', `/api/plugins/pbs/changes/?changed_object_type=netbox_pbs.objective`)
    expect(log.json.results.map(({ display }: { display: string }) => display)).toEqual([
      'Objective whole deleted by admin',
      'Objective whole updated by admin',
      'Objective whole created by admin',
    ])
  })

  test('is filtered and ordered as all lists are', async () => {
    await make({ name: 'b', hours: 4, weight: 2, server: 'pbs-*' })
    await make({ name: 'a', hours: 8, weight: 3 })
    await make({ name: 'c', hours: null, weight: 1 })
    const names = async (query: string) =>
      (await api.ask('GET', `${objectives}?${query}`)).json.results.map(({ name }: { name: string }) => name)
    expect(await names('')).toEqual(['c', 'b', 'a'])
    expect(await names('ordering=-name')).toEqual(['c', 'b', 'a'])
    expect(await names('hours__gte=5')).toEqual(['a'])
    expect(await names('server=pbs-*')).toEqual(['b'])
    expect(await names('q=B')).toEqual(['b'])
  })

  test.each([
    [{ server: '' }, { server: ['Blank fits nothing: leave it out or send null for any server.'] }],
    [{ backup_type: 'lxc' }, { backup_type: [expect.stringContaining('send one of vm, ct, host')] }],
    [{ tag: 'gold*' }, { tag: [expect.stringContaining('A tag is no pattern')] }],
    [{ hours: 0 }, { hours: [expect.any(String)] }],
    [{ hours: 100_000 }, { hours: [expect.any(String)] }],
    [{ hours: '4h' }, { hours: [expect.stringContaining('A valid integer is required')] }],
    [{ hours: undefined }, { hours: ['This field is required.'] }],
    [{ weight: -1 }, { weight: [expect.any(String)] }],
    [{ name: 'c' }, { name: ['objective with this name already exists.'] }],
    [{ backup_id: 'x'.repeat(256) }, { backup_id: ['Ensure this field has no more than 255 characters.'] }],
  ])('with %j is refused', async (change, errors) => {
    expect(await make({ name: 'refused', hours: 4, ...change })).toMatchObject({ status: 400, json: errors })
  })

  test('of a group that is late leaves a breach, which is listed and named', async () => {
    expect((await api.ask('GET', '/api/plugins/pbs/breaches/?end__empty=true&ordering=-begin')).json).toEqual({
      count: 0,
      next: null,
      previous: null,
      results: [],
    })
    expect((await api.ask('GET', '/api/plugins/pbs/breaches/1/')).json).toEqual({
      detail: 'No Breach matches the given query.',
    })
  })

  test('is main’s alone: no branch has it', async () => {
    expect((await api.ask('GET', objectives, { headers: { 'X-NetBox-Branch': 'abcdefgh' } })).status).toBe(400)
  })
})
