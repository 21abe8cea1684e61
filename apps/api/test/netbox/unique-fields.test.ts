import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Answer, engines, startTestApi, type TestApi } from '../support/test-api.ts'

const root = '/api/plugins/pbs'
const fields = '/api/extras/custom-fields/'

describe.each(engines)('unique custom fields on $engine', ({ database }) => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database })
  })
  afterAll(() => api.stop())

  let made = 0
  /** A field of servers and datastores, unique unless told. */
  const field = async (about: object = {}): Promise<{ name: string; id: number }> => {
    const name = `field_${made++}`
    const object_types = ['netbox_pbs.pbsserver', 'netbox_pbs.pbsdatastore']
    const { status, json } = await api.ask('POST', fields, {
      body: { name, type: 'text', object_types, unique: true, ...about },
    })
    expect([status, json.name]).toEqual([201, name])
    return json
  }
  const body = (custom_fields: object, more: object = {}) => ({
    ...{ name: `s${made++}`, host: '192.0.2.1', token_id: 'a@pbs!b', custom_fields },
    ...more,
  })
  const post = (custom_fields: object, headers: Record<string, string> = {}): Promise<Answer> =>
    api.ask('POST', `${root}/servers/`, { body: body(custom_fields), headers })
  const patch = (id: number, custom_fields: object, headers: Record<string, string> = {}): Promise<Answer> =>
    api.ask('PATCH', `${root}/servers/${id}/`, { body: { custom_fields }, headers })
  const server = async (custom_fields: object, headers = {}): Promise<number> => {
    const { status, json } = await post(custom_fields, headers)
    expect(status).toBe(201)
    return json.id
  }
  const taken = (name: string) => ({ __all__: [`Custom field '${name}' must have a unique value.`] })
  const refused = ({ status, json }: Answer) => [status, json]
  const branch = async () => {
    const { json } = await api.ask('POST', `${root}/branches/`, { body: { name: `b${made++}` } })
    return { id: json.id, headers: { 'X-NetBox-Branch': json.schema_id } }
  }
  const merge = (id: number, commit = true) => api.ask('POST', `${root}/branches/${id}/merge/`, { body: { commit } })

  describe('in main', () => {
    test('a value of another object is refused, when an object is created and when it is changed', async () => {
      const { name } = await field()
      const first = await server({ [name]: 'A-1' })
      expect(refused(await post({ [name]: 'A-1' }))).toEqual([400, taken(name)])
      const second = await server({ [name]: 'A-2' })
      expect(refused(await patch(second, { [name]: 'A-1' }))).toEqual([400, taken(name)])
      expect((await patch(second, { [name]: 'a-1' })).status).toBe(200)
      expect((await patch(first, { [name]: 'A-1' })).status).toBe(200)
      expect((await patch(first, { [name]: 'A-3' })).status).toBe(200)
      expect((await patch(second, { [name]: 'A-1' })).json.custom_fields[name]).toBe('A-1')
    })

    test('no value is no value, and other models and fields are others', async () => {
      const [{ name }, { name: other }] = [await field(), await field({ unique: false })]
      for (const custom of [
        { [name]: null },
        { [name]: null },
        { [name]: '', [other]: 'x' },
        { [name]: '', [other]: 'x' },
      ])
        await server(custom)
      const id = await server({ [name]: 'x' })
      const store = { server: id, name: 'tank', path: '/tank', custom_fields: { [name]: 'x' } }
      expect((await api.ask('POST', `${root}/datastores/`, { body: store })).status).toBe(201)
    })

    test('the value of a deleted object is free', async () => {
      const { name } = await field()
      const id = await server({ [name]: 'once' })
      expect((await api.ask('DELETE', `${root}/servers/${id}/`)).status).toBe(204)
      await server({ [name]: 'once' })
    })

    test.each([
      ['integer', 7, 8],
      ['decimal', 1.5, 1.25],
      ['date', '2026-05-01', '2026-05-02'],
      ['json', { a: [1] }, { a: [1], b: 2 }],
    ])('of the type %s', async (type, value, another) => {
      const { name } = await field({ type })
      await server({ [name]: value })
      expect(refused(await post({ [name]: value }))).toEqual([400, taken(name)])
      await server({ [name]: another })
    })

    test('many objects are written all or none', async () => {
      const { name } = await field()
      const count = async () => (await api.ask('GET', `${root}/servers/?limit=1`)).json.count
      const before = await count()
      const twice = [{ [name]: 'x' }, { [name]: 'y' }, { [name]: 'x' }].map((custom) => body(custom))
      const { status, json } = await api.ask('POST', `${root}/servers/`, { body: twice })
      expect([status, json.errors]).toEqual([400, [{ index: 2, errors: taken(name) }]])
      expect(await count()).toBe(before)
      const [a, b] = [await server({ [name]: 'x' }), await server({ [name]: 'y' })]
      const change = (of: ReadonlyArray<readonly [number, string]>) =>
        api.ask('PATCH', `${root}/servers/`, {
          body: of.map(([id, value]) => ({ id, custom_fields: { [name]: value } })),
        })
      const same = await change([
        [a, 'z'],
        [b, 'z'],
      ])
      expect([same.status, same.json.errors]).toEqual([400, [{ id: b, errors: taken(name) }]])
      // Two objects may exchange their values.
      const exchanged = await change([
        [a, 'y'],
        [b, 'x'],
      ])
      expect(exchanged.status).toBe(200)
    })

    test('of writers at once one gets the value', async () => {
      const { name } = await field()
      // Below servers of their own, no lock of a scope keeps the writers apart.
      const stores = await Promise.all(
        Array.from({ length: 8 }, async (_, nth) => {
          const store = { server: await server({}), name: 'tank', path: '/tank' }
          return nth < 4 ? store : (await api.ask('POST', `${root}/datastores/`, { body: store })).json.id
        }),
      )
      const custom_fields = { [name]: 'rare' }
      const answers = await Promise.all(
        stores.map((store) =>
          typeof store === 'number'
            ? api.ask('PATCH', `${root}/datastores/${store}/`, { body: { custom_fields } })
            : api.ask('POST', `${root}/datastores/`, { body: { ...store, custom_fields } }),
        ),
      )
      expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
      for (const { status, json } of answers.filter((one) => one.status >= 300))
        expect([status, json]).toEqual([400, taken(name)])
      expect((await api.ask('GET', `${root}/datastores/?cf_${name}=rare`)).json.count).toBe(1)
    })
  })

  describe('the definition', () => {
    test('of a boolean cannot be unique', async () => {
      const about = { name: 'yes_no', type: 'boolean', object_types: ['netbox_pbs.pbsserver'], unique: true }
      const { status, json } = await api.ask('POST', fields, { body: about })
      expect([status, json]).toEqual([400, { unique: ['Uniqueness cannot be enforced for boolean fields'] }])
    })

    test('cannot become unique while objects share a value', async () => {
      const { name, id } = await field({ unique: false })
      const become = () => api.ask('PATCH', `${fields}${id}/`, { body: { unique: true } })
      const [one] = [await server({ [name]: 'same' }), await server({ [name]: 'same' })]
      expect(refused(await become())).toEqual([
        400,
        { unique: ['Objects share a value of this field: give each of them another one first.'] },
      ])
      await patch(one, { [name]: 'other' })
      expect((await become()).json.unique).toBe(true)
      expect(refused(await post({ [name]: 'same' }))).toEqual([400, taken(name)])
      await api.ask('PATCH', `${fields}${id}/`, { body: { unique: false } })
      await server({ [name]: 'same' })
    })

    test('becomes unique, or is written twice, but not both', async () => {
      const { name, id } = await field({ unique: false })
      const [become, ...writes] = await Promise.all([
        api.ask('PATCH', `${fields}${id}/`, { body: { unique: true } }),
        ...Array.from({ length: 4 }, () => post({ [name]: 'same' })),
      ])
      const written = writes.filter(({ status }) => status === 201).length
      expect(become?.status === 200 ? written : 4).toBe(become?.status === 200 ? 1 : written)
      expect((await api.ask('GET', `${root}/servers/?cf_${name}=same`)).json.count).toBe(written)
    })
  })

  describe('in a branch', () => {
    test('a value that main or the branch has is refused; one that the branch takes away is free', async () => {
      const { name } = await field()
      const [a, b] = [await server({ [name]: 'a' }), await server({ [name]: 'b' })]
      const { headers } = await branch()
      expect(refused(await post({ [name]: 'a' }, headers))).toEqual([400, taken(name)])
      expect(refused(await patch(b, { [name]: 'a' }, headers))).toEqual([400, taken(name)])
      await server({ [name]: 'new' }, headers)
      expect(refused(await patch(b, { [name]: 'new' }, headers))).toEqual([400, taken(name)])
      // Main still has the value of a row that the branch changes in other ways.
      await api.ask('PATCH', `${root}/servers/${a}/`, { body: { host: '192.0.2.9' }, headers })
      expect(refused(await patch(b, { [name]: 'a' }, headers))).toEqual([400, taken(name)])
      expect((await patch(a, { [name]: 'c' }, headers)).status).toBe(200)
      expect((await patch(b, { [name]: 'a' }, headers)).status).toBe(200)
      expect((await api.ask('DELETE', `${root}/servers/${a}/`, { headers })).status).toBe(204)
      await server({ [name]: 'c' }, headers)
      // Main has not changed.
      expect(refused(await post({ [name]: 'a' }))).toEqual([400, taken(name)])
    })

    test('a merge that would give two objects one value is refused, and lands once main has given the value up', async () => {
      const { name } = await field()
      const { id, headers } = await branch()
      await server({ [name]: 'late' }, headers)
      const rival = await server({ [name]: 'late' })
      for (const commit of [false, true]) {
        const { status, json } = await merge(id, commit)
        expect([status, json.detail]).toEqual([
          409,
          expect.stringMatching(
            new RegExp(`^the merge of branch ${id} would give s\\d+ and s\\d+ one value .* ${name}, late: change one`),
          ),
        ])
      }
      expect((await api.ask('GET', `${root}/servers/?cf_${name}=late`)).json.count).toBe(1)
      expect((await api.ask('GET', `${root}/branches/${id}/`)).json.merged_time).toBeNull()
      await patch(rival, { [name]: 'early' })
      expect((await merge(id)).status).toBe(200)
      expect(refused(await post({ [name]: 'late' }))).toEqual([400, taken(name)])
    })

    test('of two merges, and a writer in main, at once one gets the value', async () => {
      const { name } = await field()
      const id = await server({})
      const branches = [await branch(), await branch()]
      for (const { headers } of branches) await server({ [name]: 'rare' }, headers)
      const answers = await Promise.all([...branches.map((one) => merge(one.id)), patch(id, { [name]: 'rare' })])
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect((await api.ask('GET', `${root}/servers/?cf_${name}=rare`)).json.count).toBe(1)
    })

    test('its revert is refused when another object has got the value', async () => {
      const { name } = await field()
      const first = await server({ [name]: 'mine' })
      const { id, headers } = await branch()
      await patch(first, { [name]: 'other' }, headers)
      expect((await merge(id)).status).toBe(200)
      await server({ [name]: 'mine' })
      const reverted = await api.ask('POST', `${root}/branches/${id}/revert/`, { body: { commit: true } })
      expect(reverted.status).toBeLessThan(300)
      const { status, json } = await merge(reverted.json.id)
      expect([status, json.detail]).toEqual([409, expect.stringContaining(`custom field ${name}, mine`)])
    })
  })
})
