import { Layer } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { engines, startTestApi, type TestApi } from '../support/test-api.ts'

const root = '/api/plugins/pbs'
const fields = '/api/extras/custom-fields/'
const sets = '/api/extras/custom-field-choice-sets/'
const server = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }
const onServers = { object_types: ['netbox_pbs.pbsserver'] }

describe.each(engines)('on $engine', ({ database }) => {
  let api: TestApi
  const ask = (method: string, path: string, body?: unknown) =>
    api.ask(method, path, body === undefined ? {} : { body })
  const made = async (path: string, body: unknown) => {
    const { status, json } = await ask('POST', path, body)
    expect([status, json]).toEqual([201, expect.anything()])
    return json
  }
  const one = `${root}/servers/1/`
  const values = async (path = one) => (await ask('GET', path)).json.custom_fields

  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database: Layer.fresh(database) })
    const { id } = await made(sets, {
      name: 'tiers',
      extra_choices: [
        ['gold', 'Gold'],
        ['silver', 'Silver'],
      ],
    })
    await made(fields, [
      { name: 'note', type: 'text', ...onServers },
      { name: 'rank', type: 'integer', ...onServers, validation_minimum: 0, validation_maximum: 9 },
      { name: 'share', type: 'decimal', ...onServers },
      { name: 'audited', type: 'boolean', ...onServers },
      { name: 'review_on', type: 'date', ...onServers },
      { name: 'seen_at', type: 'datetime', ...onServers },
      { name: 'link', type: 'url', ...onServers },
      { name: 'facts', type: 'json', ...onServers },
      { name: 'tier', type: 'select', ...onServers, choice_set: id },
      { name: 'tiers', type: 'multiselect', ...onServers, choice_set: { name: 'tiers' } },
      { name: 'code', type: 'text', ...onServers, validation_regex: '[A-Z]{3}$' },
    ])
    await made(`${root}/servers/`, server)
  })
  afterAll(() => api.stop())

  describe('definitions', () => {
    test('have the fields of NetBox', async () => {
      const { json } = await ask('GET', `${fields}?name=tier`)
      expect(json.results).toEqual([
        {
          id: 9,
          url: `${api.url}${fields}9/`,
          display_url: `${api.url}/extras/custom-fields/9/`,
          display: 'Tier',
          object_types: ['netbox_pbs.pbsserver'],
          type: { value: 'select', label: 'Selection' },
          name: 'tier',
          label: '',
          group_name: '',
          description: '',
          required: false,
          unique: false,
          search_weight: 1000,
          filter_logic: { value: 'loose', label: 'Loose' },
          ui_visible: { value: 'always', label: 'Always' },
          ui_editable: { value: 'yes', label: 'Yes' },
          is_cloneable: false,
          default: null,
          weight: 100,
          validation_minimum: null,
          validation_maximum: null,
          validation_regex: '',
          choice_set: {
            id: 1,
            url: `${api.url}${sets}1/`,
            display: 'tiers',
            name: 'tiers',
            description: '',
            choices_count: 2,
          },
          comments: '',
          data_type: 'string',
          related_object_type: null,
          related_object_filter: null,
          validation_schema: null,
          owner: null,
          created: expect.any(String),
          last_updated: expect.any(String),
        },
      ])
    })

    test.each([
      [{ name: 'x', type: 'text' }, { object_types: ['This field is required.'] }],
      [{ type: 'text', ...onServers }, { name: ['This field is required.'] }],
      [{ name: 'x', type: 'nope', ...onServers }, { type: ['nope is not a valid choice.'] }],
      [{ name: 'x', type: 'object', ...onServers }, { type: [expect.stringContaining('choose another type')] }],
      [
        { name: 'a-b', type: 'text', ...onServers },
        { name: ['Only alphanumeric characters and underscores are allowed.'] },
      ],
      [
        { name: 'a__b', type: 'text', ...onServers },
        { name: ['Double underscores are not permitted in custom field names.'] },
      ],
      [{ name: 'note', type: 'text', ...onServers }, { name: ['custom field with this name already exists.'] }],
      [
        { name: 'x', type: 'select', ...onServers },
        { choice_set: ['Selection fields must specify a set of choices.'] },
      ],
      [
        { name: 'x', type: 'text', ...onServers, choice_set: 1 },
        { choice_set: ['Choices may be set only on selection fields.'] },
      ],
      [
        { name: 'x', type: 'text', ...onServers, validation_minimum: 3 },
        { validation_minimum: ['A minimum value may be set only for numeric fields'] },
      ],
      [
        { name: 'x', type: 'integer', ...onServers, default: 'high' },
        { default: ['Invalid default value "high": Value must be an integer.'] },
      ],
      [{ name: 'x', type: 'text', ...onServers, validation_regex: '[' }, { validation_regex: [expect.anything()] }],
      [{ name: 'x', type: 'text', ...onServers, related_object_type: 'dcim.device' }, expect.anything()],
    ])('refuse %j', async (body, errors) => {
      const { status, json } = await ask('POST', fields, body)
      expect([status, json]).toEqual([400, errors])
    })

    test('keep their type, and a choice set that they use', async () => {
      expect((await ask('PATCH', `${fields}1/`, { type: 'json' })).json).toEqual({
        type: ['Changing the type of custom fields is not supported.'],
      })
      const { status, json } = await ask('DELETE', `${sets}1/`)
      expect([status, json]).toEqual([
        409,
        { detail: 'Unable to delete object. 2 dependent objects were found: Tier (9), Tiers (10)' },
      ])
    })

    test.each([
      [{ name: 's', extra_choices: [] }, { __all__: ['Must define base or extra choices.'] }],
      [
        {
          name: 's',
          extra_choices: [
            ['a', 'A'],
            ['a', 'B'],
          ],
        },
        { __all__: ["Duplicate value 'a' found in extra choices."] },
      ],
      [{ name: 's', extra_choices: [['a']] }, { extra_choices: [expect.stringContaining('at least 2 elements')] }],
      [{ name: 's', base_choices: 'IATA', extra_choices: [['a', 'A']] }, { base_choices: [expect.anything()] }],
    ])('of choices refuse %j', async (body, errors) => {
      const { status, json } = await ask('POST', sets, body)
      expect([status, json]).toEqual([400, errors])
    })
  })

  describe('on a row (3, 4)', () => {
    test('are all there, null where they have no value, and merge when they are written', async () => {
      expect(await values()).toEqual({
        note: null,
        rank: null,
        share: null,
        audited: null,
        review_on: null,
        seen_at: null,
        link: null,
        facts: null,
        tier: null,
        tiers: null,
        code: null,
      })
      await ask('PATCH', one, { custom_fields: { note: 'first', rank: 1, tier: 'gold' } })
      const { json } = await ask('PATCH', one, { custom_fields: { rank: null, tiers: ['silver', 'gold'] } })
      expect(json.custom_fields).toMatchObject({
        note: 'first',
        rank: null,
        tier: { value: 'gold', label: 'Gold' },
        tiers: [
          { value: 'silver', label: 'Silver' },
          { value: 'gold', label: 'Gold' },
        ],
      })
      // What was read can be sent back.
      expect((await ask('PATCH', one, { custom_fields: json.custom_fields })).json.custom_fields).toEqual(
        json.custom_fields,
      )
    })

    test.each([
      ['rank', '5', 'Value must be an integer.'],
      ['rank', true, 'Value must be an integer.'],
      ['rank', -1, 'Value must be at least 0'],
      ['rank', 10, 'Value must not exceed 9'],
      ['share', 'much', 'Value must be a decimal.'],
      ['audited', 'yes', 'Value must be true or false.'],
      ['review_on', '2026-02-30', 'Date values must be in ISO 8601 format (YYYY-MM-DD).'],
      ['seen_at', 'noon', 'Date and time values must be in ISO 8601 format (YYYY-MM-DD HH:MM:SS).'],
      ['note', 5, 'Value must be a string.'],
      ['code', 'ab', "Value must match regex '[A-Z]{3}$'"],
      ['tier', 'bronze', 'Invalid choice (bronze) for choice set tiers.'],
      ['tiers', ['gold', 'x'], "Invalid choice(s) (['gold', 'x']) for choice set tiers."],
    ])('%s refuses %j', async (name, value, message) => {
      const { status, json } = await ask('PATCH', one, { custom_fields: { [name]: value } })
      expect([status, json]).toEqual([400, { __all__: [`Invalid value for custom field '${name}': ${message}`] }])
    })

    test.each([
      ['share', 1.5, 1.5],
      ['share', '0.25', 0.25],
      ['audited', false, false],
      ['review_on', '2026-03-01', '2026-03-01'],
      ['seen_at', '2026-03-01 10:00:00', '2026-03-01T10:00:00Z'],
      ['link', 'https://example.com/x', 'https://example.com/x'],
      ['facts', { a: [1, null] }, { a: [1, null] }],
      ['code', 'ABC', 'ABC'],
      ['note', '', ''],
    ])('%s takes %j', async (name, value, read) => {
      const { json } = await ask('PATCH', one, { custom_fields: { [name]: value } })
      expect(json.custom_fields[name]).toEqual(read)
    })

    test.each([
      [null, ['This field may not be null.']],
      [
        ['note'],
        ['Invalid data format. Custom field data must be passed as a dictionary mapping field names to their values.'],
      ],
      [{ nope: 1 }, { nope: "Custom field 'nope' does not exist for this object type." }],
    ])('refuse %j', async (value, errors) => {
      const { status, json } = await ask('PATCH', one, { custom_fields: value })
      expect([status, json]).toEqual([400, { custom_fields: errors }])
    })

    test('are read in a branch and merge key by key', async () => {
      await ask('PATCH', one, { custom_fields: { note: 'main', rank: 1 } })
      const { json: branch } = await ask('POST', `${root}/branches/`, { name: 'values' })
      const headers = { 'X-NetBox-Branch': branch.schema_id }
      await api.ask('PATCH', one, { body: { custom_fields: { note: 'branch' } }, headers })
      await ask('PATCH', one, { custom_fields: { rank: 2 } })
      expect((await api.ask('GET', one, { headers })).json.custom_fields).toMatchObject({ note: 'branch', rank: 2 })
      const { json: changes } = await ask('GET', `${root}/branches/${branch.id}/changes/`)
      expect(changes.results[0].postchange_data.custom_fields).toMatchObject({ note: 'branch' })
      expect((await ask('POST', `${root}/branches/${branch.id}/merge/`, { commit: true })).status).toBe(200)
      expect(await values()).toMatchObject({ note: 'branch', rank: 2 })
      const { json: log } = await ask('GET', `${root}/changes/?changed_object_type=netbox_pbs.pbsserver&limit=1`)
      expect(log.results[0].postchange_data.custom_fields).toMatchObject({ note: 'branch', rank: 2 })
    })

    test('that both sides set are a conflict, which a value by name resolves', async () => {
      const { json: branch } = await ask('POST', `${root}/branches/`, { name: 'clash' })
      const headers = { 'X-NetBox-Branch': branch.schema_id }
      const at = `${root}/branches/${branch.id}`
      await api.ask('PATCH', one, { body: { custom_fields: { note: 'theirs' } }, headers })
      await ask('PATCH', one, { custom_fields: { note: 'ours' } })
      await ask('POST', `${at}/sync/`, { commit: true })
      const { json: conflicts } = await ask('GET', `${at}/conflicts/`)
      expect(conflicts.results).toMatchObject([
        { field: 'custom_fields', main: { note: 'ours' }, branch: { note: 'theirs' } },
      ])
      const resolve = (value: unknown) => ask('POST', `${at}/resolve/`, { all: true, resolution: 'value', value })
      expect((await resolve({ rank: 77 })).status).toBe(400)
      expect((await resolve({ note: 'both', rank: 3 })).status).toBe(200)
      expect((await ask('POST', `${at}/merge/`, { commit: true })).status).toBe(200)
      expect(await values()).toMatchObject({ note: 'both', rank: 3 })
    })

    test('keep their values under a new name, and lose them with the field or its model', async () => {
      const { id } = await made(fields, { name: 'owner', type: 'text', ...onServers })
      await ask('PATCH', one, { custom_fields: { owner: 'ada' } })
      await ask('PATCH', `${fields}${id}/`, { name: 'keeper' })
      expect(await values()).toMatchObject({ keeper: 'ada' })
      await ask('PATCH', `${fields}${id}/`, { object_types: ['netbox_pbs.pbsjob'] })
      expect(await values()).not.toHaveProperty('keeper')
      await ask('PATCH', `${fields}${id}/`, onServers)
      expect(await values()).toMatchObject({ keeper: null })
      await ask('PATCH', one, { custom_fields: { keeper: 'bob' } })
      await ask('DELETE', `${fields}${id}/`)
      await made(fields, { name: 'keeper', type: 'text', ...onServers })
      expect(await values()).toMatchObject({ keeper: null })
    })

    test('of a new row have their defaults, and must be there when they are required', async () => {
      const [first, second] = await made(fields, [
        { name: 'kind', type: 'text', ...onServers, default: 'plain' },
        { name: 'needed', type: 'integer', ...onServers, required: true },
      ])
      const other = { ...server, name: 'defaults' }
      expect((await ask('POST', `${root}/servers/`, other)).json).toEqual({
        __all__: ["Missing required custom field 'needed'."],
      })
      const row = await made(`${root}/servers/`, { ...other, custom_fields: { needed: 1 } })
      expect(row.custom_fields).toMatchObject({ kind: 'plain', needed: 1 })
      expect((await ask('PATCH', `${root}/servers/${row.id}/`, { custom_fields: { needed: null } })).json).toEqual({
        __all__: ["Invalid value for custom field 'needed': Required field cannot be empty."],
      })
      expect((await ask('PATCH', one, { host: 'x' })).status).toBe(400)
      await ask('DELETE', fields, [{ id: first.id }, { id: second.id }])
      expect((await ask('PATCH', one, { host: 'x' })).status).toBe(200)
    })
  })
})
