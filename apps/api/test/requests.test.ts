import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { fakeGateway } from './support/fake-gateway.ts'
import { adminToken, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
let api: TestApi

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer, { allowedHosts: ['nb.example.com', '.lan'] })
})
afterAll(() => api.stop())

describe('an API answer', () => {
  test('tells version, request and how it may be shown, errors included', async () => {
    const answers = [
      await api.ask('GET', `${root}/servers/`),
      await api.ask('GET', '/api/nope/', { token: null, documented: false }),
    ]
    for (const { headers } of answers) {
      expect(headers.get('api-version')).toBe('4.7')
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'self'")
      expect(headers.get('vary')).toContain('Accept')
    }
    expect(answers[0]?.headers.get('content-type')).toBe('application/json')
  })

  test('takes no request id from the client', async () => {
    const headers = { 'X-Request-ID': '00000000-0000-4000-8000-000000000000' }
    const { headers: answered } = await api.ask('GET', `${root}/`, { headers })
    expect(answered.get('x-request-id')).not.toBe(headers['X-Request-ID'])
  })
})

describe('a token', () => {
  const credentials = 'Authentication credentials were not provided.'
  const form = 'Invalid authorization header: Must be in the form "Bearer <key>.<token>" or "Token <token>"'
  const dot =
    "Invalid authorization header: Could not parse key from v2 token. Did you mean to use 'Token' instead of 'Bearer'?"

  test.each([
    ['', credentials],
    ['Basic YWRtaW46YWRtaW4=', credentials],
    ['garbage', credentials],
    ['Token', form],
    ['Bearer a b', form],
    ['Token nbt_abc', dot],
    ['Bearer abc', 'Invalid v1 token'],
    ['Bearer nbt_testtoken001.wrong', 'Invalid v2 token'],
    ['Bearer nbt_unknown00001.wrong', 'Invalid v2 token'],
  ])('%j is refused', async (authorization, detail) => {
    const { status, json, headers } = await api.ask('GET', `${root}/servers/`, {
      token: null,
      headers: authorization === '' ? {} : { Authorization: authorization },
    })
    expect([status, json]).toEqual([403, { detail }])
    expect(headers.has('www-authenticate')).toBe(false)
    expect(headers.get('allow')).toContain('GET')
  })

  test('is taken under either keyword, in any case', async () => {
    for (const keyword of ['Token', 'bearer', 'TOKEN']) {
      const headers = { Authorization: `${keyword} ${adminToken}` }
      expect((await api.ask('GET', `${root}/`, { token: null, headers })).status).toBe(200)
    }
  })

  test('shows its secret once, reads without writing, and ends', async () => {
    const { json: me } = await api.ask('GET', '/api/authentication-check/')
    expect(me).toMatchObject({ username: 'admin', is_active: true })
    const body = { user: me.id, write_enabled: false, description: 'reader' }
    const { json: made, status } = await api.ask('POST', '/api/users/tokens/', { body })
    expect(status).toBe(201)
    expect(made).toMatchObject({
      version: 2,
      user: { id: me.id, username: 'admin' },
      write_enabled: false,
      expires: null,
    })
    const token = `nbt_${made.key}.${made.token}`

    const list = await api.ask('GET', `/api/users/tokens/?key=${made.key}`)
    expect(list.json).toMatchObject({ count: 1, results: [{ id: made.id, key: made.key, description: 'reader' }] })
    expect(list.text).not.toContain(made.token)

    expect((await api.ask('GET', `${root}/servers/`, { token })).status).toBe(200)
    expect(await api.ask('DELETE', `${root}/servers/1/`, { token })).toMatchObject({
      status: 403,
      json: { detail: 'You do not have permission to perform this action.' },
    })
    expect((await api.ask('DELETE', `/api/users/tokens/${made.id}/`)).status).toBe(204)
    expect((await api.ask('GET', `${root}/servers/`, { token })).json).toEqual({ detail: 'Invalid v2 token' })
  })

  const notFound = 'Related object not found using the provided'
  test.each([
    [999, `${notFound} numeric ID: 999`],
    ['999', `${notFound} numeric ID: 999`],
    [2 ** 63, `${notFound} numeric ID: 9223372036854776000`],
    [-1, `${notFound} numeric ID: -1`],
    [{ username: 'rita' }, `${notFound} attributes: {'username': 'rita'}`],
    [{ username: 'ri\0ta' }, `${notFound} attributes: `],
    [{ username: '\ud800' }, `${notFound} attributes: `],
    [{ username: 5 }, `${notFound} attributes: {'username': 5}`],
    [{ id: 1, username: 'rita' }, `${notFound} attributes: {'id': 1, 'username': 'rita'}`],
    [{}, `${notFound} attributes: {}`],
    [{ name: 'admin' }, "Cannot resolve keyword 'name' into field."],
    [{ id: 'x' }, "Field 'id' expected a number but got 'x'."],
    ['rita', 'Received an unrecognized value: rita'],
    [true, 'Received an unrecognized value: True'],
    [[1], 'Received an unrecognized value: [1]'],
    [1.5, 'Received an unrecognized value: 1.5'],
    [null, 'This field may not be null.'],
  ])('for the user %j is refused', async (user, sentence) => {
    const { json: before } = await api.ask('GET', '/api/users/tokens/')
    const { status, json } = await api.ask('POST', '/api/users/tokens/', { body: { user } })
    expect([status, json]).toEqual([400, { user: [expect.stringContaining(sentence)] }])
    expect((await api.ask('GET', '/api/users/tokens/')).json.count).toBe(before.count)
  })

  test('is created for a user, however it is named', async () => {
    const { json: me } = await api.ask('GET', '/api/authentication-check/')
    for (const user of [me.id, String(me.id), { id: me.id }, { username: 'admin' }, { id: me.id, username: 'admin' }]) {
      const { status, json } = await api.ask('POST', '/api/users/tokens/', { body: { user } })
      expect([status, json.user.username]).toEqual([201, 'admin'])
    }
  })

  test('makes none that ends later than itself', async () => {
    const ends = '2099-01-01T00:00:00Z'
    const { json } = await api.ask('POST', '/api/users/tokens/', { body: { expires: ends } })
    const token = `nbt_${json.key}.${json.token}`
    const make = (body: object) => api.ask('POST', '/api/users/tokens/', { body, token })
    for (const expires of [null, '2099-01-01T00:00:01Z']) {
      const { status, json: errors } = await make({ expires })
      expect([status, errors]).toEqual([400, { expires: [expect.stringContaining(`ends at ${ends}`)] }])
    }
    expect(await make({})).toMatchObject({ status: 201, json: { expires: ends } })
    expect(await make({ expires: '2098-01-01' })).toMatchObject({
      status: 201,
      json: { expires: '2098-01-01T00:00:00Z' },
    })
  })
})

describe('a path', () => {
  test('without its slash is redirected for reading, with its parameters', async () => {
    const { status, headers } = await api.ask('GET', `${root}/servers?limit=1`, { token: null, documented: false })
    expect([status, headers.get('location')]).toEqual([301, `${root}/servers/?limit=1`])
    expect((await api.ask('POST', `${root}/servers`, { body: {}, documented: false })).status).toBe(404)
  })

  test.each([
    ['GET', '/servers/abc/', 404, 'Not found.'],
    ['GET', '/servers/1.5/', 404, 'Not found.'],
    ['GET', '/servers/0/', 404, 'No Server matches the given query.'],
    ['GET', '/datastores/99999999999999999999999/', 404, 'No Datastore matches the given query.'],
    ['PUT', '/', 405, 'Method "PUT" not allowed.'],
    ['POST', '/servers/1/', 405, 'Method "POST" not allowed.'],
  ])('%s %s', async (method, path, status, detail) => {
    expect(await api.ask(method, `${root}${path}`)).toMatchObject({ status, json: { detail } })
  })

  test('that is none answers a page', async () => {
    const { status, headers } = await api.ask('GET', '/api/plugins/PBS/servers/', { token: null, documented: false })
    expect([status, headers.get('content-type')]).toEqual([404, expect.stringContaining('text/html')])
  })

  test.each([
    ['text/csv', 406, 'Could not satisfy the request Accept header.'],
    ['application/json; version=4.2', 406, 'Invalid version in "Accept" header.'],
    ['application/json; version=4.7', 200, undefined],
    ['text/plain;q=0.5,application/json', 200, undefined],
  ])('asked for %s', async (accept, status, detail) => {
    const answer = await api.ask('GET', `${root}/`, { headers: { Accept: accept } })
    expect([answer.status, answer.json.detail]).toEqual([status, detail])
  })
})

describe('a body', () => {
  const post = (raw: string, type: string) =>
    api.ask('POST', `${root}/servers/`, { raw, headers: { 'Content-Type': type } })

  test.each([
    ['{"name": ', 'application/json', 400, /^JSON parse error - Expecting value: line 1 column \d+/],
    ['{"name":NaN}', 'application/json', 400, /^JSON parse error - /],
    ['<a/>', 'application/xml', 415, /^Unsupported media type "application\/xml" in request\.$/],
    ['{}', 'text/plain', 415, /^Unsupported media type "text\/plain" in request\.$/],
  ])('%j as %s', async (raw, type, status, detail) => {
    const answer = await post(raw, type)
    expect([answer.status, answer.json.detail]).toEqual([status, expect.stringMatching(detail)])
  })

  test('that is nested beyond any field is refused, whole or cut off; brackets in a text are characters', async () => {
    const nested = (depth: number) => `${'{"name":'.repeat(depth)}1${'}'.repeat(depth)}`
    const deep = 'JSON parse error - more than 100 lists and objects are inside one another'
    for (const raw of [nested(101), '['.repeat(1_000_000)]) {
      const { status, json } = await post(raw, 'application/json')
      expect([status, json]).toEqual([400, { detail: deep }])
    }
    for (const raw of [nested(100), JSON.stringify({ name: `"\\${'['.repeat(101)}` })]) {
      const { status, json } = await post(raw, 'application/json')
      expect([status, json.host]).toEqual([400, ['This field is required.']])
    }
  })

  test('that is malformed is not repeated', async () => {
    expect((await post('{"token_secret":"hunter2"', 'application/json')).text).not.toContain('hunter2')
  })

  test('that is too large is refused, declared or not', async () => {
    const large = 'x'.repeat(10 * 1024 * 1024 + 1)
    const detail = 'Request body is larger than 10485760 bytes.'
    expect(await sendInPieces(large)).toEqual({ status: 413, text: JSON.stringify({ detail }) })
  })

  test('is not read without a token', async () => {
    const answer = await api.ask('POST', `${root}/servers/`, {
      token: null,
      raw: '{',
      headers: { 'Content-Type': 'x/y' },
    })
    expect(answer.status).toBe(403)
  })

  const sendInPieces = (text: string) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const headers = { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' }
      const sent = request(`${api.url}${root}/servers/`, { method: 'POST', headers }, (response) => {
        let body = ''
        response.on('data', (piece) => {
          body += String(piece)
        })
        response.on('end', () => resolve({ status: response.statusCode, text: body }))
      })
      sent.on('error', reject)
      for (let at = 0; at < text.length; at += 1_000_000) sent.write(text.slice(at, at + 1_000_000))
      sent.end()
    })
})

describe('a host', () => {
  const ask = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${api.url}/healthz`, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })

  test.each([
    ['localhost', 200],
    ['127.0.0.1:8000', 200],
    ['[::1]:8000', 200],
    ['nb.example.com', 200],
    ['a.b.lan:443', 200],
    ['evil.example.com', 400],
    ['127.0.0.1.evil.com', 400],
    ['example.lan.evil', 400],
  ])('%s', async (host, status) => {
    expect(await ask({ Host: host })).toBe(status)
  })

  test('that a proxy forwards must be known too', async () => {
    expect(await ask({ 'X-Forwarded-Host': 'evil.example.com' })).toBe(400)
    expect(await ask({ 'X-Forwarded-Host': 'nb.example.com' })).toBe(200)
  })
})

test('what lies where, who one is and whether it works', async () => {
  expect((await api.ask('GET', `${root}/`)).json).toEqual(
    Object.fromEntries(
      [
        'branches',
        'breaches',
        'changes',
        'copy-ledger',
        'datastores',
        'deliveries',
        'drills',
        'findings',
        'groups',
        'guests',
        'jobs',
        'keys',
        'namespaces',
        'objectives',
        'servers',
        'settings',
        'snapshots',
        'sync-runs',
        'tasks',
      ].map((name) => [name, `${api.url}${root}/${name}/`]),
    ),
  )
  expect((await api.ask('GET', '/api/status/')).json).toMatchObject({
    'netbox-version': '4.7.3',
    plugins: { netbox_pbs: manifest.version },
  })
  expect((await api.ask('GET', '/api/plugins/installed-plugins/')).json).toMatchObject([{ package: 'netbox_pbs' }])
  for (const path of ['/healthz', '/readyz', '/api/schema/']) {
    expect((await api.ask('GET', path, { token: null })).status).toBe(200)
  }
})

test('the document is JSON or YAML, and names the address that the client uses', async () => {
  const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Prefix': '/pbs' }
  const asJson = await fetch(`${api.url}/api/schema/`, { headers })
  const asYaml = await fetch(`${api.url}/api/schema/?format=yaml`, { headers })
  expect([asJson, asYaml].map((answer) => answer.headers.get('content-type'))).toEqual([
    'application/json',
    'application/yaml',
  ])
  const document = (await asJson.json()) as Described // border: the test reads what it asserts
  expect(document.servers).toEqual([{ url: `https://${new URL(api.url).host}/pbs`, description: expect.any(String) }])
  expect(document.paths[`${root}/servers/`]?.get.summary).toBe('List servers')
  expect(document.components.schemas.Snapshot.properties['backup_type']).toMatchObject({ type: 'object' })
  expect(parse(await asYaml.text(), { maxAliasCount: 0 })).toEqual(document)
})

interface Described {
  readonly servers: ReadonlyArray<object>
  readonly paths: Readonly<Record<string, { readonly get: { readonly summary: string } }>>
  readonly components: { readonly schemas: { readonly Snapshot: { readonly properties: Record<string, object> } } }
}
