import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { engines, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs/'
const server = { host: '192.0.2.1', token_id: 'a@pbs!b' }
const taken = { name: ['server with this name already exists.'] }
const wrong = { port: ['A valid integer is required.'] }
const time = (nth: number) => new Date(Date.UTC(2026, 0, 1) + nth * 3600_000).toISOString().replace('.000', '')

describe.each(engines)('on $engine', ({ database }) => {
  const gateway = fakeGateway()
  let api: TestApi
  let branch = ''

  beforeAll(async () => {
    api = await startTestApi(gateway.layer, { database })
    const { json } = await api.ask('POST', `${root}branches/`, { body: { name: 'edits' } })
    branch = json.schema_id
  })
  afterAll(() => api.stop())

  describe.each(['main', 'a branch'])('in %s', (place) => {
    const prefix = place === 'main' ? 'm' : 'b'
    const ask = (method: string, path: string, body?: unknown) => {
      const headers = place === 'main' ? {} : { 'X-NetBox-Branch': branch }
      return api.ask(method, `${root}${path}`, { headers, ...(body === undefined ? {} : { body }) })
    }
    /** Makes servers, and gives their ids. */
    const made = async (...names: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
      const { status, json } = await ask(
        'POST',
        'servers/',
        names.map((name) => ({ ...server, name: `${prefix}-${name}` })),
      )
      expect(status).toBe(201)
      return json.map(({ id }: { id: number }) => id)
    }
    const everything = async (): Promise<unknown> => {
      const lists = ['servers', 'datastores', 'snapshots', 'groups'].map((path) => ask('GET', `${path}/?limit=1000`))
      const log = api.ask('GET', `${root}changes/?limit=1`)
      return [...(await Promise.all(lists)).map(({ json }) => json), (await log).json.count]
    }

    test('a thousand snapshots are made, changed and deleted with one request each', async () => {
      const [id] = await made('thousand')
      const rows = Array.from({ length: 1000 }, (_, nth) => ({
        server: id,
        datastore_name: 'tank',
        backup_type: 'vm',
        backup_id: String(100 + (nth % 40)),
        backup_time: time(nth),
      }))
      const { status, json } = await ask('POST', 'snapshots/', rows)
      expect([status, json.length]).toEqual([201, 1000])
      const ids: ReadonlyArray<number> = json.map((row: { id: number }) => row.id)
      expect(ids).toEqual(ids.toSorted((a, b) => a - b))

      const changed = await ask(
        'PATCH',
        'snapshots/',
        ids.map((each, nth) => ({ id: each, comment: `c${nth}`, protected: nth % 2 === 0 })),
      )
      expect(changed.status).toBe(200)
      const listed = await ask('GET', `snapshots/?server_id=${id}&limit=1000`)
      expect(changed.json).toEqual(listed.json.results)
      expect(changed.json[0]).toMatchObject({ backup_id: '100', backup_time: time(960), comment: 'c960' })

      const tooMany = await ask(
        'DELETE',
        'snapshots/',
        [...ids, 1].map((each) => ({ id: each })),
      )
      expect([tooMany.status, tooMany.json.detail]).toEqual([400, expect.stringContaining('At most 1000 objects')])
      const gone = await ask(
        'DELETE',
        'snapshots/',
        ids.map((each) => ({ id: each })),
      )
      expect([gone.status, gone.text]).toEqual([204, ''])
      expect((await ask('GET', `snapshots/?server_id=${id}`)).json.count).toBe(0)
    })

    test('one object at fault anywhere leaves nothing behind, and is named by its place or id', async () => {
      const [a = 0, b = 0, c = 0] = await made('fault-a', 'fault-b', 'fault-c')
      const before = await everything()
      for (const at of [0, 1, 2]) {
        const created = [1, 2, 3].map((nth) => ({ ...server, name: `${prefix}-new-${nth}`, port: 1 as unknown }))
        created[at] = { ...server, name: `${prefix}-new`, port: 'x' }
        expect(await ask('POST', 'servers/', created)).toMatchObject({
          status: 400,
          json: { detail: '1 of 3 objects could not be created.', errors: [{ index: at, errors: wrong }] },
        })
        const changes: Array<object> = [a, b, c].map((id) => ({ id, version: '9' }))
        const id = [a, b, c][at]
        changes[at] = { id, port: 'x' }
        const refused = await ask('PATCH', 'servers/', changes)
        expect([refused.status, refused.json]).toEqual([
          400,
          { detail: '1 of 3 objects could not be updated.', errors: [{ id, errors: wrong }] },
        ])
        changes[at] = { id, name: `${prefix}-fault-${'bca'[at]}` }
        expect(await ask('PATCH', 'servers/', changes)).toMatchObject({
          status: 400,
          json: { detail: '1 of 3 objects could not be updated.', errors: [{ id, errors: taken }] },
        })
        changes[at] = { id: 999999, version: '9' }
        const missing = { id: 999999, errors: { id: ['Object with ID 999999 does not exist'] } }
        for (const method of ['PATCH', 'DELETE'])
          expect((await ask(method, 'servers/', changes)).json).toEqual({
            detail: '1 of 3 objects could not be found.',
            errors: [missing],
          })
        changes[at] = { version: '9' }
        for (const method of ['PATCH', 'DELETE'])
          expect((await ask(method, 'servers/', changes)).json).toEqual({
            detail: '1 of 3 objects failed validation.',
            errors: [{ index: at, errors: { id: ['This field is required.'] } }],
          })
      }
      expect(await everything()).toEqual(before)
    })

    test('an object that is named twice is refused when it changes, and deleted once', async () => {
      const [a] = await made('twice')
      const again = { id: [`Object with ID ${a} is in this request already.`] }
      expect(
        await ask('PATCH', 'servers/', [
          { id: a, version: '1' },
          { id: String(a), version: '2' },
        ]),
      ).toMatchObject({
        status: 400,
        json: { detail: '1 of 2 objects failed validation.', errors: [{ index: 1, errors: again }] },
      })
      expect((await ask('GET', `servers/${a}/`)).json.version).toBe('')
      expect((await ask('DELETE', 'servers/', [{ id: a }, { id: a }])).status).toBe(204)
    })

    test('a name may go on from one object to the next, but not in a circle', async () => {
      const [a, b] = await made('one', 'two')
      const circle = [
        { id: a, name: `${prefix}-two` },
        { id: b, name: `${prefix}-one` },
      ]
      const refused = await ask('PATCH', 'servers/', circle)
      expect([refused.status, refused.json]).toEqual([
        400,
        {
          detail: '2 of 2 objects could not be updated.',
          errors: [
            { id: a, errors: taken },
            { id: b, errors: taken },
          ],
        },
      ])
      const chain = [
        { id: b, name: `${prefix}-one` },
        { id: a, name: `${prefix}-zero` },
      ]
      const { status, json } = await ask('PATCH', 'servers/', chain)
      expect([status, json.map(({ id, name }: { id: number; name: string }) => [id, name])]).toEqual([
        200,
        [
          [b, `${prefix}-one`],
          [a, `${prefix}-zero`],
        ],
      ])
    })

    test('PUT needs the required fields of each object, and keeps what is left out', async () => {
      const [a, b] = await made('put-a', 'put-b')
      const body = [
        { id: a, ...server, name: `${prefix}-put-a`, version: '7' },
        { id: b, name: `${prefix}-put-b` },
      ]
      expect(await ask('PUT', 'servers/', body)).toMatchObject({
        status: 400,
        json: {
          detail: '1 of 2 objects could not be updated.',
          errors: [{ id: b, errors: { host: ['This field is required.'], token_id: ['This field is required.'] } }],
        },
      })
      expect((await ask('PUT', 'servers/', body.slice(0, 1))).json).toMatchObject([{ id: a, version: '7' }])
      expect((await ask('PUT', 'servers/', [{ id: a, ...server, name: `${prefix}-put-c` }])).json).toMatchObject([
        { id: a, name: `${prefix}-put-c`, version: '7' },
      ])
    })

    test('nothing to write is an empty answer', async () => {
      for (const method of ['PATCH', 'PUT'])
        expect(await ask(method, 'servers/', [])).toMatchObject({ status: 200, json: [] })
      expect((await ask('DELETE', 'servers/', [])).status).toBe(204)
    })
  })

  describe('servers that are connected', () => {
    const path = `${root}servers/`
    const patch = (body: unknown) => api.ask('PATCH', path, { body })
    const connect = async (name: string): Promise<number> =>
      (await api.ask('POST', path, { body: { ...server, name, token_secret: 's' } })).json.id

    test('change together with others only where no endpoint has to change', async () => {
      const [a, b] = [await connect('connected-a'), await connect('connected-b')]
      const together = await patch([
        { id: a, sync_interval_minutes: 5 },
        { id: b, sync_interval_minutes: 6 },
      ])
      expect(together.json).toMatchObject([{ sync_interval_minutes: 5 }, { sync_interval_minutes: 6 }])
      const refused = await patch([
        { id: a, sync_interval_minutes: 7, host: 'other.example' },
        { id: b, name: 'connected-c', host: server.host },
      ])
      const alone = [expect.stringContaining('send the server alone')]
      expect([refused.status, refused.json]).toEqual([
        400,
        {
          detail: '2 of 2 objects could not be updated.',
          errors: [
            { id: a, errors: { host: alone } },
            { id: b, errors: { name: alone } },
          ],
        },
      ])
      expect((await api.ask('GET', `${path}${a}/`)).json).toMatchObject({ sync_interval_minutes: 5 })
      expect(await patch([{ id: b, name: 'connected-c' }])).toMatchObject({
        status: 200,
        json: [{ name: 'connected-c' }],
      })
      expect(gateway.endpoints.get(2)).toMatchObject({ name: 'connected-c' })
      gateway.down = true
      const failed = await patch([{ id: b, name: 'connected-d' }])
      gateway.down = false
      expect([failed.status, (await api.ask('GET', `${path}${b}/`)).json.name]).toEqual([502, 'connected-c'])
    })

    test('are deleted one at a time', async () => {
      const { json } = await api.ask('GET', `${path}?name=connected-a&name=connected-c`)
      const ids: ReadonlyArray<number> = json.results.map(({ id }: { id: number }) => id)
      const { json: other } = await api.ask('POST', path, { body: { ...server, name: 'inventory only' } })
      const refused = await api.ask('DELETE', path, { body: [...ids, other.id].map((id) => ({ id })) })
      expect([refused.status, refused.json]).toEqual([
        400,
        {
          detail: '2 of 3 objects could not be deleted.',
          errors: ids.map((id) => ({ id, errors: { __all__: [expect.stringContaining('delete the server alone')] } })),
        },
      ])
      expect(gateway.endpoints.size).toBe(2)
      for (const id of ids) expect((await api.ask('DELETE', path, { body: [{ id }] })).status).toBe(204)
      expect(gateway.endpoints.size).toBe(0)
      expect((await api.ask('GET', `${path}${other.id}/`)).status).toBe(200)
    })
  })
})
