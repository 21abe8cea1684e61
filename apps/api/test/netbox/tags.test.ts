import { Layer } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { engines, startTestApi, type TestApi } from '../support/test-api.ts'

const root = '/api/plugins/pbs'
const tags = '/api/extras/tags/'
const server = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }

describe.each(engines)('on $engine', ({ database }) => {
  let api: TestApi
  const ask = (method: string, path: string, body?: unknown) =>
    api.ask(method, path, body === undefined ? {} : { body })
  const made = async (path: string, body: unknown) => {
    const { status, json } = await ask('POST', path, body)
    expect([status, json]).toEqual([201, expect.anything()])
    return json
  }
  const slugs = async (path: string) => (await ask('GET', path)).json.tags.map(({ slug }: { slug: string }) => slug)

  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database: Layer.fresh(database) })
    await made(tags, [
      { name: 'Alpha', slug: 'alpha', color: 'ff0000' },
      { name: 'Beta two', slug: 'beta-two', color: '00ff00' },
      { name: 'Café', slug: 'gamma', color: '0000ff' },
    ])
    await made(`${root}/servers/`, server)
  })
  afterAll(() => api.stop())

  describe('definitions (1 to 4)', () => {
    test('have the fields of NetBox, and those that are left out their defaults', async () => {
      const { status, json, headers } = await ask('POST', tags, { name: 'Plain', slug: 'plain' })
      expect(status).toBe(201)
      expect(json).toEqual({
        id: json.id,
        url: `${api.url}${tags}${json.id}/`,
        display_url: `${api.url}/extras/tags/${json.id}/`,
        display: 'Plain',
        name: 'Plain',
        slug: 'plain',
        color: '9e9e9e',
        description: '',
        weight: 1000,
        object_types: [],
        tagged_items: 0,
        owner: null,
        created: expect.any(String),
        last_updated: expect.any(String),
      })
      expect(headers.get('location')).toBe(json.url)
      expect(headers.get('etag')).toBe(`W/"${json.last_updated}"`)
      expect((await ask('GET', `${tags}${json.id}/?brief=1`)).json).toEqual({
        id: json.id,
        url: json.url,
        display: 'Plain',
        name: 'Plain',
        slug: 'plain',
        color: '9e9e9e',
        description: '',
      })
      expect((await ask('DELETE', `${tags}${json.id}/`)).status).toBe(204)
      expect((await ask('GET', `${tags}${json.id}/`)).json).toEqual({ detail: 'No Tag matches the given query.' })
    })

    test.each([
      [{ slug: 'x' }, { name: ['This field is required.'] }],
      [{ name: 'x' }, { slug: ['This field is required.'] }],
      [{ name: 'x', slug: 'a b' }, { slug: [expect.stringContaining('Enter a valid “slug”')] }],
      [{ name: 'x', slug: 'x', color: 'red' }, { color: ['Enter a valid hexadecimal RGB color code.'] }],
      [
        { name: 'x', slug: 'x', object_types: ['dcim.device'] },
        { object_types: ['Invalid content type: dcim.device'] },
      ],
      [{ name: 'ALPHA', slug: 'x' }, { name: ['tag with this name already exists.'] }],
      [
        { name: 'alpha', slug: 'Alpha' },
        { name: ['tag with this name already exists.'], slug: ['tag with this slug already exists.'] },
      ],
      ['alpha', { __all__: ['Invalid data. Expected a dictionary, but got str.'] }],
    ])('refuse %j', async (body, errors) => {
      const { status, json } = await ask('POST', tags, body)
      expect([status, json]).toEqual([400, errors])
    })

    test('are written in bulk as a whole or not at all', async () => {
      const { json } = await ask('POST', tags, [
        { name: 'one', slug: 'one' },
        { name: 'two', slug: 'one' },
      ])
      expect(json).toEqual({
        detail: '1 of 2 objects could not be created.',
        errors: [{ index: 1, errors: { slug: ['tag with this slug already exists.'] } }],
      })
      const [one, two] = await made(tags, [
        { name: 'one', slug: 'one' },
        { name: 'two', slug: 'two' },
      ])
      expect(
        (
          await ask('PATCH', tags, [
            { id: one.id, color: 'aa0000' },
            { id: two.id, color: 'nope' },
          ])
        ).json,
      ).toMatchObject({ detail: '1 of 2 objects could not be updated.', errors: [{ id: two.id }] })
      expect((await ask('GET', `${tags}${one.id}/`)).json.color).toBe('9e9e9e')
      const { json: missing } = await ask('DELETE', tags, [{ id: one.id }, { id: 99_999 }])
      expect(missing.errors).toEqual([{ id: 99_999, errors: { id: ['Object with ID 99999 does not exist'] } }])
      expect((await ask('DELETE', tags, [{ id: one.id }, { id: two.id }])).status).toBe(204)
      expect((await ask('GET', `${tags}?slug=one&slug=two`)).json.count).toBe(0)
    })

    test('are listed by slug, name, text and object type', async () => {
      const count = async (query: string) => (await ask('GET', `${tags}?${query}`)).json.count
      expect(await count('slug=alpha')).toBe(1)
      expect(await count('name=Alpha&name=Beta%20two')).toBe(2)
      expect(await count('q=beta')).toBe(1)
      expect(await count('object_type=netbox_pbs.pbsserver')).toBe(3)
      expect(await count('id=1&id=2')).toBe(2)
      expect((await ask('GET', `${tags}?ordering=-name&fields=name`)).json.results).toEqual([
        { name: 'Café' },
        { name: 'Beta two' },
        { name: 'Alpha' },
      ])
    })

    test('are not branched', async () => {
      const { json: branch } = await ask('POST', `${root}/branches/`, { name: 'no-definitions' })
      const headers = { 'X-NetBox-Branch': branch.schema_id }
      const { status, json } = await api.ask('POST', tags, { body: { name: 'b', slug: 'b' }, headers })
      expect([status, json.detail]).toEqual([400, expect.stringContaining('is not branched')])
    })

    test('are compared with If-Match', async () => {
      const headers = { 'If-Match': 'W/"2020-01-01T00:00:00Z"' }
      expect((await api.ask('PATCH', `${tags}1/`, { body: { weight: 1 }, headers })).status).toBe(412)
    })
  })

  describe('on a row (3)', () => {
    const one = `${root}/servers/1/`

    test('are read nested and replace the set when they are written', async () => {
      const { json } = await ask('PATCH', one, { tags: [{ slug: 'beta-two' }, 1] })
      expect(json.tags).toEqual([
        {
          id: 1,
          url: `${api.url}${tags}1/`,
          display_url: `${api.url}/extras/tags/1/`,
          display: 'Alpha',
          name: 'Alpha',
          slug: 'alpha',
          color: 'ff0000',
        },
        expect.objectContaining({ id: 2, slug: 'beta-two' }),
      ])
      expect((await ask('GET', `${tags}2/`)).json.tagged_items).toBe(1)
      await ask('PATCH', one, { tags: [{ name: 'Café' }] })
      expect(await slugs(one)).toEqual(['gamma'])
      await ask('PATCH', one, { host: '192.0.2.2' })
      expect(await slugs(one)).toEqual(['gamma'])
      await ask('PATCH', one, { tags: [] })
      expect(await slugs(one)).toEqual([])
    })

    test('come and go with add_tags and remove_tags', async () => {
      await ask('PATCH', one, { tags: [1, 2] })
      await ask('PATCH', one, { add_tags: [{ slug: 'gamma' }, 1], remove_tags: [{ slug: 'beta-two' }] })
      expect(await slugs(one)).toEqual(['alpha', 'gamma'])
      expect((await ask('PATCH', one, { tags: [1], add_tags: [2] })).json).toEqual({
        tags: ['Cannot specify "tags" together with "add_tags" or "remove_tags".'],
      })
      expect((await ask('PATCH', one, { add_tags: [1, 2], remove_tags: [1] })).json).toEqual({
        remove_tags: ['Tags may not be present in both "add_tags" and "remove_tags": Alpha'],
      })
      expect((await ask('PATCH', one, { add_tags: 'alpha' })).json).toEqual({
        __all__: ['Expected a list of items but got type "str".'],
      })
      expect((await ask('POST', `${root}/servers/`, { ...server, name: 'b', remove_tags: [1] })).json).toEqual({
        remove_tags: ['Cannot use "remove_tags" when creating a new object.'],
      })
    })

    test('two changes at once keep each other', async () => {
      await ask('PATCH', one, { tags: [] })
      await Promise.all([1, 2, 3].map((id) => ask('PATCH', one, { add_tags: [id] })))
      expect(await slugs(one)).toEqual(['alpha', 'beta-two', 'gamma'])
    })

    test.each([
      ['alpha', { __all__: ['Expected a list of items but got type "str".'] }],
      [null, ['This field may not be null.']],
      [
        [1, { slug: 'nope' }],
        [{}, ["Related object not found using the provided attributes: {'slug': 'nope'}"]],
      ],
      [[999], [['Related object not found using the provided numeric ID: 999']]],
      [
        ['alpha'],
        [
          [
            'Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: alpha',
          ],
        ],
      ],
      [[{ zz: 1 }], [[expect.stringContaining("Cannot resolve keyword 'zz' into field.")]]],
    ])('refuse %j', async (value, errors) => {
      const { status, json } = await ask('PATCH', one, { tags: value, host: 'other' })
      expect([status, json]).toEqual([400, { tags: errors }])
      expect((await ask('GET', one)).json.host).toBe('192.0.2.2')
    })

    test('of other models are refused', async () => {
      const { id } = await made(tags, { name: 'jobs only', slug: 'jobs-only', object_types: ['netbox_pbs.pbsjob'] })
      const { status, json } = await ask('PATCH', one, { tags: [id] })
      expect([status, json]).toEqual([400, { __all__: ['Tag jobs only cannot be assigned to pbsserver objects.'] }])
      await ask('DELETE', `${tags}${id}/`)
    })

    test('follow a new name, and leave the row when they are deleted', async () => {
      const { id } = await made(tags, { name: 'short', slug: 'short' })
      await ask('PATCH', one, { tags: [1, id] })
      await ask('PATCH', `${tags}${id}/`, { name: 'renamed', slug: 'renamed' })
      expect(await slugs(one)).toEqual(['alpha', 'renamed'])
      await ask('DELETE', `${tags}${id}/`)
      expect(await slugs(one)).toEqual(['alpha'])
      await made(tags, { name: 'renamed', slug: 'renamed' })
      expect(await slugs(one)).toEqual(['alpha'])
    })

    test('are in the change log by name, also when they are deleted since', async () => {
      const { id } = await made(tags, { name: 'logged', slug: 'logged' })
      await ask('PATCH', one, { tags: [id] })
      await ask('DELETE', `${tags}${id}/`)
      const { json } = await ask('GET', `${root}/changes/?changed_object_type=netbox_pbs.pbsserver&limit=1`)
      expect(json.results[0].postchange_data).toEqual({ tags: ['logged'] })
      const of = await ask('GET', `${root}/changes/?changed_object_type=extras.tag&changed_object_id=${id}`)
      expect(of.json.results.map(({ action }: { action: { value: string } }) => action.value)).toEqual([
        'delete',
        'create',
      ])
    })
  })

  test('of main and a branch merge as a set', async () => {
    const { json: row } = await ask('POST', `${root}/servers/`, { ...server, name: 'merged', tags: [1] })
    const one = `${root}/servers/${row.id}/`
    const { json: branch } = await ask('POST', `${root}/branches/`, { name: 'tags' })
    const headers = { 'X-NetBox-Branch': branch.schema_id }
    await api.ask('PATCH', one, { body: { remove_tags: [1], add_tags: [2] }, headers })
    const inBranch = await api.ask('GET', one, { headers })
    expect(inBranch.json.tags.map(({ slug }: { slug: string }) => slug)).toEqual(['beta-two'])
    await ask('PATCH', one, { add_tags: [3] })
    const { json: changes } = await ask('GET', `${root}/branches/${branch.id}/changes/`)
    expect(changes.results[0]).toMatchObject({
      prechange_data: { tags: ['Alpha'] },
      postchange_data: { tags: ['Beta two'] },
    })
    expect((await ask('POST', `${root}/branches/${branch.id}/merge/`, { commit: true })).status).toBe(200)
    expect(await slugs(one)).toEqual(['beta-two', 'gamma'])
  })
})
