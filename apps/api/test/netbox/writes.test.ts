/**
 * What NetBox answers to writes, by the sections of the fact sheet that this project follows:
 * 3 is the representation of objects, 4 writes and errors.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { restPaths } from '../../src/routes/rest-paths.ts'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from '../support/test-api.ts'

const root = '/api/plugins/pbs/'
const server = { name: 'pbs-a', host: '192.0.2.1', token_id: 'a@pbs!b' }
const store = { server: 1, name: 'tank', path: '/tank' }
const snapshot = { server: 1, datastore_name: 'tank', backup_type: 'vm', backup_id: '1', backup_time: '2026-05-01' }
const job = { server: 1, job_type: 'gc', job_id: 'tank' }
let api: TestApi
let nth = 0

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  await send('POST', 'servers/', [server, { ...server, name: 'pbs-b', host: '192.0.2.2' }])
})
afterAll(() => api.stop())

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  api.ask(method, `${root}${path}`, { headers, ...(body === undefined ? {} : { body }) })

/** Makes a snapshot of its own with some values, and gives the row. */
async function made(values: object = {}): Promise<Answer['json']> {
  const { status, json } = await send('POST', 'snapshots/', { ...snapshot, backup_id: `made-${nth++}`, ...values })
  expect([status, json]).toEqual([201, expect.anything()])
  return json
}

/** The errors of a snapshot with some values; each is tried alone and in a list, in POST and in PATCH. */
async function errorsOf(values: object): Promise<unknown> {
  const { id } = await made()
  const body = { ...snapshot, backup_id: 'refused', ...values }
  const alone = await send('POST', 'snapshots/', body)
  expect(alone.status).toBe(400)
  const listed = await send('POST', 'snapshots/', [body])
  expect(listed.json).toEqual({
    detail: '1 of 1 objects could not be created.',
    errors: [{ index: 0, errors: alone.json }],
  })
  const changed = await send('PATCH', `snapshots/${id}/`, values)
  expect([changed.status, changed.json]).toEqual([400, alone.json])
  const inBulk = await send('PATCH', 'snapshots/', [{ id, ...values }])
  expect(inBulk.json).toEqual({ detail: '1 of 1 objects could not be updated.', errors: [{ id, errors: alone.json }] })
  return alone.json
}

describe('3: values as they are written', () => {
  test('text is trimmed, and blank is empty', async () => {
    expect(await made({ comment: ' a b\n', owner: '   ' })).toMatchObject({ comment: 'a b', owner: '' })
  })

  test('a number is taken from text, and is a bare number', async () => {
    for (const [given, kept] of [
      ['123', 123],
      [5, 5],
      [' 7 ', 7],
      ['9007199254740991', 9007199254740991],
      [null, null],
    ])
      expect(await made({ size_bytes: given })).toMatchObject({ size_bytes: kept })
  })

  test.each([
    [1.5, 'A valid biginteger is required.'],
    ['x', 'A valid biginteger is required.'],
    [true, 'A valid biginteger is required.'],
    ['9223372036854775808', 'Ensure this value is less than or equal to 9223372036854775807.'],
  ])('%j is no size', async (size_bytes, sentence) => {
    expect(await errorsOf({ size_bytes })).toEqual({ size_bytes: [sentence] })
  })

  test.each([
    [true, true],
    ['yes', true],
    ['ON', true],
    [1, true],
    ['1', true],
    [false, false],
    ['no', false],
    ['off', false],
    [0, false],
  ])('%j is a boolean', async (given, kept) => {
    expect(await made({ protected: given })).toMatchObject({ protected: kept })
  })

  test.each([
    ['maybe', 'Must be a valid boolean.'],
    [2, 'Must be a valid boolean.'],
    [null, 'This field may not be null.'],
  ])('%j is no boolean', async (given, sentence) => {
    expect(await errorsOf({ protected: given })).toEqual({ protected: [sentence] })
  })

  test.each([
    ['2026-05-01', '2026-05-01T00:00:00Z'],
    ['2026-05-01T02:03', '2026-05-01T02:03:00Z'],
    ['2026-05-01T02:03:04', '2026-05-01T02:03:04Z'],
    ['2026-05-01T02:03:04.5+02:00', '2026-05-01T00:03:04.500000Z'],
    ['2026-05-01 02:03:04Z', '2026-05-01T02:03:04Z'],
  ])('%s is a time, kept in UTC with microseconds where there are any', async (given, kept) => {
    expect(await made({ backup_time: given })).toMatchObject({ backup_time: kept })
  })

  test.each(['soon', '2026-13-01', 5, ''])('%j is no time', async (backup_time) => {
    expect(await errorsOf({ backup_time })).toEqual({
      backup_time: [expect.stringContaining('Datetime has wrong format.')],
    })
  })

  test.each([
    ['VM', 'VM is not a valid choice.'],
    [5, '5 is not a valid choice.'],
    ['05', '5 is not a valid choice.'],
    ['true', 'True is not a valid choice.'],
    [false, 'False is not a valid choice.'],
    [null, 'This field may not be blank.'],
    ['', 'This field may not be blank.'],
    [
      { value: 'vm', label: 'Virtual machine' },
      'Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.',
    ],
    [['vm'], 'Value must be passed directly (e.g. "foo": 123); do not use a dictionary or list.'],
  ])('%j is no choice', async (backup_type, sentence) => {
    expect(await errorsOf({ backup_type })).toEqual({ backup_type: [sentence] })
  })

  test.each([
    [['a'], 'Not a valid string.'],
    [{ a: 1 }, 'Not a valid string.'],
    [true, 'Not a valid string.'],
    [null, 'This field may not be null.'],
    ['', 'This field may not be blank.'],
    ['   ', 'This field may not be blank.'],
    ['x'.repeat(256), 'Ensure this field has no more than 255 characters.'],
    ['a\0b', 'Null characters are not allowed.'],
  ])('%j is no text of a required field', async (datastore_name, sentence) => {
    expect(await errorsOf({ datastore_name })).toEqual({ datastore_name: [sentence] })
  })
})

describe('3: a reference to a server', () => {
  test.each([
    ['its id', 2],
    ['its id as text', '2'],
    ['its name', 'pbs-b'],
    ['a dictionary with its id', { id: 2 }],
    ['a dictionary with its name', { name: 'pbs-b' }],
    ['a dictionary with both', { id: 2, name: 'pbs-b' }],
    ['a dictionary with what it alone has', { host: '192.0.2.2' }],
    ['a dictionary with several attributes', { host: '192.0.2.2', port: 8007, verify_ssl: true, status: 'unknown' }],
  ])('is %s', async (_, given) => {
    expect(await made({ server: given })).toMatchObject({ server: { id: 2, display: 'pbs-b', name: 'pbs-b' } })
  })

  const attributes = 'Related object not found using the provided attributes:'
  const unrecognized =
    'Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value:'
  test.each([
    [null, 'This field may not be null.'],
    [99, 'Related object not found using the provided numeric ID: 99'],
    ['099', 'Related object not found using the provided numeric ID: 99'],
    ['nope', `${unrecognized} nope`],
    [[1], `${unrecognized} [1]`],
    [{ name: 'zz' }, `${attributes} {'name': 'zz'}`],
    [{ id: 1, name: 'pbs-b' }, `${attributes} {'id': 1, 'name': 'pbs-b'}`],
    [{ port: 1 }, `${attributes} {'port': 1}`],
    [{}, 'Multiple objects match the provided attributes: {}'],
    [{ port: 8007 }, "Multiple objects match the provided attributes: {'port': 8007}"],
    [{ id: 'x' }, "Field 'id' expected a number but got 'x'."],
  ])('is not %j', async (given, sentence) => {
    expect(await errorsOf({ server: given })).toEqual({ server: [sentence] })
  })

  test('by an attribute that there is not names those that there are', async () => {
    const sentence = expect.stringMatching(/^Cannot resolve keyword 'zz' into field\. Choices are: .*host, id,/)
    expect(await errorsOf({ server: { zz: 1 } })).toEqual({ server: [sentence] })
  })
})

describe('4: success', () => {
  test('POST of an object is a 201 with Location and ETag, of a list without', async () => {
    const one = await send('POST', 'jobs/', job)
    expect([one.status, one.headers.get('location'), one.headers.get('etag')]).toEqual([
      201,
      one.json.url,
      `W/"${one.json.last_updated}"`,
    ])
    const many = await send('POST', 'jobs/', [
      { ...job, job_id: 'b' },
      { ...job, job_id: 'a' },
    ])
    expect([many.status, many.json.map(({ job_id }: { job_id: string }) => job_id)]).toEqual([201, ['b', 'a']])
    expect([many.headers.get('location'), many.headers.get('etag')]).toEqual([null, null])
    expect(await send('POST', 'jobs/', [])).toMatchObject({ status: 201, json: [] })
  })

  test('PATCH of a list is a 200 in the order of the model, not of the request, without an ETag', async () => {
    const { json } = await send('POST', 'datastores/', [
      { ...store, name: 'z' },
      { ...store, name: 'a' },
    ])
    const body = json.map(({ id }: { id: number }) => ({ id, comment: 'same' }))
    const changed = await send('PATCH', 'datastores/', body)
    expect([changed.status, changed.json.map(({ name }: { name: string }) => name)]).toEqual([200, ['a', 'z']])
    expect(changed.headers.get('etag')).toBeNull()
  })

  test('PUT keeps optional fields that are left out', async () => {
    const { json: before } = await send('POST', 'datastores/', { ...store, name: 'kept', comment: 'stays' })
    const put = await send('PUT', `datastores/${before.id}/`, { ...store, name: 'kept', path: '/new' })
    expect(put).toMatchObject({ status: 200, json: { path: '/new', comment: 'stays' } })
  })

  test('unknown and read-only fields are ignored', async () => {
    const row = await made({
      id: 99999,
      url: 'x',
      display: 'x',
      created: 'x',
      last_updated: 'x',
      nope: 1,
      server_id: 7,
    })
    expect(row.id).not.toBe(99999)
    expect((await send('PATCH', `snapshots/${row.id}/`, { id: 1, created: 'x', nope: [] })).json).toMatchObject({
      id: row.id,
      created: row.created,
    })
  })

  test('DELETE is an empty 204, of a row and of a list, and takes a message', async () => {
    const [one, two, three] = [await made(), await made(), await made()]
    const gone = await send('DELETE', `snapshots/${one.id}/`)
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await send('DELETE', `snapshots/${two.id}/`, { changelog_message: 'why' })).status).toBe(204)
    const many = await send('DELETE', 'snapshots/', [{ id: three.id, changelog_message: 'why' }])
    expect([many.status, many.text]).toEqual([204, ''])
  })
})

describe('4: errors of a body', () => {
  test('all fields are reported together', async () => {
    const body = { name: 'bad', token_id: 't', port: 'abc', verify_ssl: 'maybe', last_seen_at: 'yesterday' }
    expect((await send('POST', 'servers/', body)).json).toEqual({
      host: ['This field is required.'],
      port: ['A valid integer is required.'],
      verify_ssl: ['Must be a valid boolean.'],
      last_seen_at: [expect.stringContaining('Datetime has wrong format.')],
    })
  })

  test('a unique field is reported under its name, a key of several under __all__', async () => {
    const name = { name: ['server with this name already exists.'] }
    expect(await send('POST', 'servers/', { ...server, port: 0 })).toMatchObject({
      status: 400,
      json: { port: ['Ensure this value is greater than or equal to 1.'], ...name },
    })
    const row = await made()
    const { backup_id } = row
    const all = {
      __all__: [
        'Snapshot with this Server, Datastore name, Namespace, Backup type, Backup id and Backup time already exists.',
      ],
    }
    expect((await send('POST', 'snapshots/', { ...snapshot, backup_id })).json).toEqual(all)
    expect((await send('PATCH', `snapshots/${(await made()).id}/`, { backup_id })).json).toEqual(all)
    // With another error the key is not looked at.
    expect((await send('POST', 'snapshots/', { ...snapshot, backup_id, size_bytes: 'x' })).json).toEqual({
      size_bytes: ['A valid biginteger is required.'],
    })
    await send('POST', 'datastores/', { ...store, name: 'taken' })
    expect((await send('POST', 'datastores/', { ...store, name: 'taken' })).json).toEqual({
      __all__: ['Datastore with this Server and Name already exists.'],
    })
  })

  test.each([
    ['"x"', { __all__: ['Invalid data. Expected a dictionary, but got str.'] }],
    ['5', { __all__: ['Invalid data. Expected a dictionary, but got int.'] }],
    ['1.5', { __all__: ['Invalid data. Expected a dictionary, but got float.'] }],
    ['true', { __all__: ['Invalid data. Expected a dictionary, but got bool.'] }],
    ['null', { __all__: ['No data provided'] }],
    [
      '',
      {
        server: ['This field is required.'],
        job_type: ['This field is required.'],
        job_id: ['This field is required.'],
      },
    ],
    ['{"name": ', { detail: 'JSON parse error - Expecting value: line 1 column 10 (char 9)' }],
    ['{"a":NaN}', { detail: "JSON parse error - Out of range float values are not JSON compliant: 'NaN'" }],
  ])('POST of %s', async (raw, json) => {
    const answer = await api.ask('POST', `${root}jobs/`, { raw, headers: { 'Content-Type': 'application/json' } })
    expect([answer.status, answer.json]).toEqual([400, json])
  })

  test('of a row, a list is refused', async () => {
    const { id } = await made()
    const json = { __all__: ['Invalid data. Expected a dictionary, but got list.'] }
    for (const method of ['PATCH', 'PUT', 'DELETE'])
      expect(await send(method, `snapshots/${id}/`, [{ comment: 'x' }])).toMatchObject({ status: 400, json })
  })

  test('hostile keys are keys like any other, and of a key that comes twice the last counts', async () => {
    const { id } = await made()
    const raw = '{"comment":"one","__proto__":{"comment":"two"},"constructor":{"prototype":1},"comment":"three"}'
    const headers = { 'Content-Type': 'application/json' }
    const answer = await api.ask('PATCH', `${root}snapshots/${id}/`, { raw, headers })
    expect(answer).toMatchObject({ status: 200, json: { comment: 'three' } })
    expect(({} as { comment?: unknown }).comment).toBeUndefined()
  })

  test('JSON that is nested too deeply is refused', async () => {
    const raw = `${'['.repeat(101)}${']'.repeat(101)}`
    const answer = await api.ask('POST', `${root}jobs/`, { raw, headers: { 'Content-Type': 'application/json' } })
    expect([answer.status, answer.json.detail]).toEqual([
      400,
      expect.stringMatching(/^JSON parse error - more than 100/),
    ])
  })

  test.each([
    ['text/plain', 'text/plain'],
    ['application/xml', 'application/xml'],
    ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded'],
  ])('a body of %s is a 415', async (type, named) => {
    const { status, json } = await api.ask('POST', `${root}jobs/`, { raw: '{}', headers: { 'Content-Type': type } })
    expect([status, json]).toEqual([415, { detail: `Unsupported media type "${named}" in request.` }])
  })

  test('a body beyond the limit is a 413', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const { status } = await api.ask('POST', `${root}jobs/`, { raw: ' '.repeat(10 * 1024 * 1024 + 1), headers })
    expect(status).toBe(413)
  })
})

describe('4: errors of a bulk request', () => {
  test('a body that is no list', async () => {
    for (const method of ['PATCH', 'PUT', 'DELETE']) {
      const { status, json } = await send(method, 'jobs/', { id: 1 })
      expect([status, json]).toEqual([400, { detail: 'Expected a list of objects, but got dict.' }])
    }
  })

  test.each([
    [1, { __all__: ['Invalid data. Expected a dictionary, but got int.'] }],
    [{}, { id: ['This field is required.'] }],
    [{ id: null }, { id: ['This field may not be null.'] }],
    [{ id: 'x' }, { id: ['A valid integer is required.'] }],
  ])('an item %j', async (item, errors) => {
    for (const method of ['PATCH', 'PUT', 'DELETE'])
      expect(await send(method, 'jobs/', [item])).toMatchObject({
        status: 400,
        json: { detail: '1 of 1 objects failed validation.', errors: [{ index: 0, errors }] },
      })
  })

  test('ids that do not exist are all named', async () => {
    const { id } = await made()
    const missing = (one: number) => ({ id: one, errors: { id: [`Object with ID ${one} does not exist`] } })
    for (const method of ['PATCH', 'DELETE'])
      expect(await send(method, 'snapshots/', [{ id: 999999 }, { id }, { id: 888888 }])).toMatchObject({
        status: 400,
        json: { detail: '2 of 3 objects could not be found.', errors: [missing(999999), missing(888888)] },
      })
    expect((await send('GET', `snapshots/${id}/`)).status).toBe(200)
  })

  test('a creation names the failing objects only, by their places, duplicates in the request among them', async () => {
    const body = [
      { ...store, name: 'new' },
      { ...store, name: 'new' },
      { ...store, name: 'other', used_bytes: 'x' },
      { ...store, name: 'fine' },
    ]
    expect(await send('POST', 'datastores/', body)).toMatchObject({
      status: 400,
      json: {
        detail: '2 of 4 objects could not be created.',
        errors: [
          { index: 1, errors: { __all__: ['Datastore with this Server and Name already exists.'] } },
          { index: 2, errors: { used_bytes: ['A valid biginteger is required.'] } },
        ],
      },
    })
    expect((await send('GET', 'datastores/?name=new&name=other&name=fine')).json.count).toBe(0)
  })
})

describe('4: ETag and If-Match', () => {
  test('reads and writes of one row have the ETag of its version', async () => {
    const row = await made()
    const tag = `W/"${row.last_updated}"`
    for (const method of ['GET', 'HEAD'])
      expect((await send(method, `snapshots/${row.id}/`)).headers.get('etag')).toBe(tag)
    expect((await send('GET', 'snapshots/')).headers.get('etag')).toBeNull()
    const changed = await send('PATCH', `snapshots/${row.id}/`, { comment: 'new' }, { 'If-Match': tag })
    expect(changed.headers.get('etag')).toBe(`W/"${changed.json.last_updated}"`)
    expect(changed.headers.get('etag')).not.toBe(tag)
  })

  test('a stale one is a 412 with the present ETag, for PATCH, PUT and DELETE', async () => {
    const row = await made()
    const path = `snapshots/${row.id}/`
    for (const method of ['PATCH', 'PUT', 'DELETE']) {
      const answer = await send(method, path, { ...snapshot, comment: 'x' }, { 'If-Match': 'W/"nope"' })
      expect([answer.status, answer.json, answer.headers.get('etag')]).toEqual([
        412,
        { detail: 'Precondition failed.' },
        `W/"${row.last_updated}"`,
      ])
    }
    const any = { 'If-Match': 'W/"nope", *' }
    expect((await send('PATCH', path, { comment: 'y' }, any)).status).toBe(200)
    const one = { 'If-Match': `W/"nope", W/"${(await send('GET', path)).json.last_updated}"` }
    expect((await send('DELETE', path, undefined, one)).status).toBe(204)
  })

  test('If-None-Match changes nothing', async () => {
    const row = await made()
    const headers = { 'If-None-Match': `W/"${row.last_updated}"` }
    expect((await send('GET', `snapshots/${row.id}/`, undefined, headers)).status).toBe(200)
  })
})

describe('4: rows that are not there', () => {
  test.each([
    ['999999', 'No Snapshot matches the given query.'],
    ['0', 'No Snapshot matches the given query.'],
    ['99999999999999999999', 'No Snapshot matches the given query.'],
    ['abc', 'Not found.'],
    ['1.5', 'Not found.'],
    ['-1', 'Not found.'],
  ])('%s', async (id, detail) => {
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const { status, json } = await api.ask(method, `${root}snapshots/${id}/`, {
        body: method === 'GET' ? undefined : {},
      })
      expect([method, status, json]).toEqual([method, 404, { detail }])
    }
  })

  test('are children of a server that is deleted', async () => {
    const { json: parent } = await send('POST', 'servers/', { ...server, name: 'parent' })
    const { json: child } = await send('POST', 'datastores/', { ...store, server: parent.id })
    const row = await made({ server: parent.id })
    expect((await send('DELETE', `servers/${parent.id}/`)).status).toBe(204)
    for (const path of [`datastores/${child.id}/`, `snapshots/${row.id}/`])
      expect((await send('GET', path)).status).toBe(404)
  })
})

describe('4: OPTIONS', () => {
  test('a list has PUT and POST, a row PUT, with type, limits and choices of each field', async () => {
    const { json: list, status } = await send('OPTIONS', 'servers/')
    expect([status, list.name, list.description, Object.keys(list.actions)]).toEqual([
      200,
      'Server List',
      '',
      ['PUT', 'POST'],
    ])
    expect(list.parses).toContain('application/json')
    expect(list.actions.POST).toEqual(list.actions.PUT)
    expect(list.actions.POST).toMatchObject({
      id: { type: 'integer', required: false, read_only: true, label: 'ID' },
      name: { type: 'string', required: true, read_only: false, label: 'Name', max_length: 255 },
      port: { type: 'integer', required: false, read_only: false, label: 'Port', min_value: 1, max_value: 65535 },
      verify_ssl: { type: 'boolean', required: false, read_only: false },
      status: {
        type: 'field',
        required: false,
        read_only: false,
        choices: [
          { value: 'unknown', display_name: 'Unknown' },
          { value: 'reachable', display_name: 'Reachable' },
          { value: 'unreachable', display_name: 'Unreachable' },
        ],
      },
      last_seen_at: { type: 'datetime', required: false, read_only: false },
      created: { type: 'datetime', required: false, read_only: true },
    })
    const { json: one } = await send('OPTIONS', 'datastores/1/')
    expect([one.name, Object.keys(one.actions)]).toEqual(['Datastore Instance', ['PUT']])
    expect(one.actions.PUT.server).toMatchObject({
      type: 'nested object',
      required: true,
      read_only: false,
      children: { id: { type: 'integer', read_only: true }, name: { type: 'string', required: true } },
    })
  })

  test('there are no actions for a token that only reads, nor for a row that is not there', async () => {
    const { json: me } = await api.ask('GET', '/api/authentication-check/')
    const { json: made } = await api.ask('POST', '/api/users/tokens/', { body: { user: me.id, write_enabled: false } })
    const token = `nbt_${made.key}.${made.token}`
    for (const path of ['servers/', 'servers/1/', 'settings/']) {
      const { status, json } = await api.ask('OPTIONS', `${root}${path}`, { token })
      expect([status, 'actions' in json]).toEqual([200, false])
    }
    expect((await send('OPTIONS', 'servers/999999/')).json).not.toHaveProperty('actions')
  })

  test('there are no actions, on any path, for a user whose role does not write there', async () => {
    const user = { username: 'vera', password: 'correct horse battery', role: 'viewer' }
    const { json: viewer } = await api.ask('POST', '/api/users/users/', { body: user })
    const { json: made } = await api.ask('POST', '/api/users/tokens/', { body: { user: viewer.id } })
    const token = `nbt_${made.key}.${made.token}`
    const paths = restPaths.flatMap(({ routes, open }) => (open === true ? [] : (routes[0]?.config.path ?? [])))
    const withActions: Array<string> = []
    for (const path of paths.filter((one) => !one.includes('{'))) {
      if ('actions' in (await api.ask('OPTIONS', path)).json) withActions.push(path)
      const { status, json } = await api.ask('OPTIONS', path, { token })
      expect([path, status, 'actions' in json]).toEqual([path, 200, false])
    }
    expect(withActions).toEqual(
      expect.arrayContaining([`${root}servers/`, `${root}settings/`, '/api/extras/tags/', '/api/extras/webhooks/']),
    )
  })

  test('there are no actions for a model that is only read', async () => {
    expect((await send('OPTIONS', 'tasks/')).json).not.toHaveProperty('actions')
  })
})
