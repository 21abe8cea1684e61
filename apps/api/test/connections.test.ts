import { Redacted } from 'effect'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeGateway, fakeGateway } from './support/fake-gateway.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

const path = '/api/plugins/pbs/servers/'
const secret = 'b2e7c4f0-secret'
const server = { name: 'pbs-a', host: 'pbs.example.com', token_id: 'netbox@pbs!sync' }
let gateway: FakeGateway
let api: TestApi

beforeAll(async () => {
  gateway = fakeGateway()
  api = await startTestApi(gateway.layer)
})
afterAll(() => api.stop())

test('a server with its secret is connected, changed, tested and removed at the gateway too', async () => {
  const made = await api.ask('POST', path, { body: { ...server, token_secret: secret } })
  expect(made).toMatchObject({ status: 201, json: { endpoint_id: 1, endpoint_state: { value: 'connected' } } })
  expect(made.text).not.toContain(secret)
  expect([...gateway.endpoints.values()].map(({ token_secret }) => Redacted.value(token_secret))).toEqual([secret])

  const at = `${path}${made.json.id}/`
  const moved = { host: 'other.example.com' }
  expect(await api.ask('PATCH', at, { body: { ...moved, token_secret: secret } })).toMatchObject({ status: 200 })
  expect(gateway.endpoints.get(1)).toMatchObject({ host: 'other.example.com' })

  expect(await api.ask('POST', `${at}test/`, { body: {} })).toMatchObject({ status: 200, json: { reachable: true } })
  expect((await api.ask('DELETE', at)).status).toBe(204)
  expect(gateway.endpoints.size).toBe(0)
})

test('its timeout is set, shown and kept with its endpoint, without the secret', async () => {
  const made = await api.ask('POST', path, {
    body: { ...server, name: 'slow', token_secret: secret, timeout_seconds: 120 },
  })
  expect(made).toMatchObject({ status: 201, json: { timeout_seconds: 120 } })
  expect(gateway.endpoints.get(made.json.endpoint_id)).toMatchObject({ timeout_seconds: 120 })
  const at = `${path}${made.json.id}/`
  expect(await api.ask('PATCH', at, { body: { timeout_seconds: 5 } })).toMatchObject({
    status: 200,
    json: { timeout_seconds: 5 },
  })
  expect(gateway.endpoints.get(made.json.endpoint_id)).toMatchObject({ timeout_seconds: 5 })
  for (const timeout_seconds of [0, 601, 1.5, null])
    expect((await api.ask('PATCH', at, { body: { timeout_seconds } })).json).toEqual({
      timeout_seconds: [expect.any(String)],
    })
  const { json: options } = await api.ask('OPTIONS', path)
  expect(options.actions.POST.timeout_seconds).toMatchObject({ type: 'integer', min_value: 1, max_value: 600 })
  expect((await api.ask('GET', `${path}?timeout_seconds=5`)).json.count).toBe(1)
  await api.ask('DELETE', at)
})

describe('a server that comes with its secret is tried first', () => {
  const presented = Array(32).fill('ab').join(':')
  const body = { ...server, name: 'tried', token_secret: secret }
  afterEach(() => {
    gateway.found = {}
  })

  test.each([
    ['unreachable', 'host'],
    ['tls_untrusted', 'fingerprint'],
    ['tls_fingerprint_mismatch', 'fingerprint'],
    ['unauthorized', 'token_secret'],
    ['forbidden', 'token_id'],
  ] as const)('%s: nothing is stored, and %s says why', async (code, field) => {
    gateway.found = { code, error: `it is ${code}.`, presented_fingerprint: presented, acl_commands: ['grant it'] }
    const before = gateway.endpoints.size
    const rejected = await api.ask('POST', path, { body })
    expect(rejected).toMatchObject({
      status: 400,
      json: {
        [field]: [
          expect.stringMatching(new RegExp(`^it is ${code}\\. Run on the server: grant it Nothing was stored`)),
        ],
      },
    })
    expect(rejected.text).not.toContain(secret)
    expect((await api.ask('GET', path)).json.count).toBe(0)
    expect(gateway.endpoints.size).toBe(before)

    const tested = await api.ask('POST', `${path}test/`, { body })
    expect(tested).toMatchObject({ status: 200, json: { code, presented_fingerprint: presented } })

    const made = await api.ask('POST', path, { body: { ...body, untested: true } })
    expect(made).toMatchObject({ status: 201, json: { status: { value: 'unknown' }, last_seen_at: null } })
    const at = `${path}${made.json.id}/`
    const moved = { host: 'elsewhere', token_secret: 'another' }
    expect(await api.ask('PATCH', at, { body: moved })).toMatchObject({
      status: 400,
      json: { [field]: [expect.any(String)] },
    })
    expect(await api.ask('PATCH', at, { body: { ...moved, untested: true } })).toMatchObject({ status: 200 })
    await api.ask('DELETE', at)
  })

  test('what is missing in part is named in a header, and its health is that of now', async () => {
    gateway.found = { missing_privileges: ['Remote.Audit on /remote', 'Tape.Audit on /tape'] }
    const made = await api.ask('POST', path, { body })
    expect([made.status, made.headers.get('x-missing-privileges')]).toEqual([
      201,
      'Remote.Audit on /remote, Tape.Audit on /tape',
    ])
    expect(made.json).toMatchObject({
      status: { value: 'reachable' },
      last_seen_at: expect.any(String),
      version: '4.2-3',
    })
    await api.ask('DELETE', `${path}${made.json.id}/`)
  })

  test('another server with its certificate is named in a header, by its pin or by what its test was shown', async () => {
    gateway.found = { presented_fingerprint: presented }
    const first = await api.ask('POST', path, { body: { ...body, name: 'pbs-é', fingerprint: presented } })
    expect([first.status, first.headers.get('x-same-certificate')]).toEqual([201, null])
    const named = `pbs-? (${first.json.id})`
    const pinned = await api.ask('POST', path, { body: { ...body, name: 'pinned', fingerprint: presented } })
    expect([pinned.status, pinned.headers.get('x-same-certificate')]).toEqual([201, named])
    const shown = await api.ask('POST', path, { body: { ...body, name: 'shown' } })
    expect([shown.status, shown.headers.get('x-same-certificate')]).toEqual([
      201,
      `${named}, pinned (${pinned.json.id})`,
    ])
    const other = { fingerprint: Array(32).fill('cd').join(':') }
    const changed = await api.ask('PATCH', `${path}${pinned.json.id}/`, { body: other })
    expect([changed.status, changed.headers.get('x-same-certificate')]).toEqual([200, null])
    const back = await api.ask('PATCH', `${path}${pinned.json.id}/`, { body: { fingerprint: presented } })
    expect([back.status, back.headers.get('x-same-certificate')]).toEqual([200, named])
    const { json: document } = await api.ask('GET', '/api/schema/')
    expect(Object.keys(document.paths[path].post.responses['201'].headers)).toContain('X-Same-Certificate')
    for (const { json } of [first, pinned, shown]) await api.ask('DELETE', `${path}${json.id}/`)
  })

  test('a flag that is none, and a test without a secret', async () => {
    const odd = await api.ask('POST', path, { body: { ...body, untested: 'yes' } })
    expect(odd).toMatchObject({ status: 400, json: { untested: ['Must be a valid boolean.'] } })
    expect(await api.ask('POST', `${path}test/`, { body: server })).toMatchObject({
      status: 400,
      json: { token_secret: ['This field is required.'] },
    })
  })
})

test('a stored secret is kept to the server it was given for', async () => {
  const pin = Array(32).fill('aa').join(':')
  const body = { ...server, name: 'kept', fingerprint: pin, token_secret: secret }
  const made = await api.ask('POST', path, { body })
  const at = `${path}${made.json.id}/`
  const stored = gateway.endpoints.get(made.json.endpoint_id)
  const needsSecret = { status: 400, json: { token_secret: [expect.stringContaining('Send the secret of the token')] } }
  for (const change of [
    { host: 'thief' },
    { port: 1 },
    { token_id: 'a@pbs!b' },
    { fingerprint: '' },
    { verify_ssl: false },
  ]) {
    expect(await api.ask('PATCH', at, { body: change })).toMatchObject(needsSecret)
    expect((await api.ask('PATCH', path, { body: [{ id: made.json.id, ...change }] })).status).toBe(400)
    expect(await api.ask('PUT', at, { body: { ...server, name: 'kept', ...change } })).toMatchObject(needsSecret)
    expect(await api.ask('POST', `${at}test/`, { body: change })).toMatchObject(needsSecret)
    expect(gateway.endpoints.get(made.json.endpoint_id)).toEqual(stored)
  }
  const renewed = { fingerprint: pin.replaceAll('a', 'b') }
  expect(await api.ask('PATCH', at, { body: renewed })).toMatchObject({ status: 200, json: renewed })
  expect((await api.ask('DELETE', at)).status).toBe(204)
})

describe('nothing is kept', () => {
  const expectNoServer = async () => expect((await api.ask('GET', path)).json.count).toBe(0)

  test('when the gateway refuses', async () => {
    expect(await api.ask('POST', path, { body: { ...server, token_secret: 'wrong' } })).toMatchObject({
      status: 400,
      json: { token_secret: ['The server refused it.'] },
    })
    await expectNoServer()
  })

  test('when the gateway does not answer', async () => {
    gateway.down = true
    try {
      expect(await api.ask('POST', path, { body: { ...server, token_secret: secret } })).toMatchObject({
        status: 502,
        json: { detail: 'the gateway does not answer' },
      })
    } finally {
      gateway.down = false
    }
    await expectNoServer()
  })

  test('when the connection has no right shape', async () => {
    const body = { name: 'x', host: 'https://pbs/', token_id: 'root', fingerprint: 'aa', token_secret: 'a b' }
    expect(await api.ask('POST', path, { body })).toMatchObject({
      status: 400,
      json: {
        host: ['This field must be a host name or an address, without scheme, port or path: host pbs, port 8007.'],
        token_id: ['This field must be like user@realm!tokenname, without PBSAPIToken=, quotes and secret.'],
        fingerprint: ['This field must be a SHA-256 fingerprint: 64 hex digits, or 32 pairs with colons.'],
        token_secret: ['This field must not hold white space.'],
      },
    })
    await expectNoServer()
  })
})

test('without a secret any shape is taken, and there is nothing to test', async () => {
  const made = await api.ask('POST', path, { body: { name: 'x', host: 'https://pbs/', token_id: 'root' } })
  expect(made).toMatchObject({ status: 201, json: { endpoint_id: null, endpoint_state: { value: 'none' } } })
  const at = `${path}${made.json.id}/`
  expect((await api.ask('POST', `${at}test/`, { body: {} })).status).toBe(400)

  const connected = await api.ask('PATCH', at, { body: { ...server, token_secret: secret } })
  expect(connected).toMatchObject({ status: 200, json: { name: 'pbs-a', endpoint_state: { value: 'connected' } } })
})

test.each(['POST', 'PATCH', 'PUT'] as const)('a secret in a list is refused: %s', async (method) => {
  const one = await api.ask('POST', path, { body: { ...server, name: `bulk-${method}` } })
  const before = gateway.endpoints.size
  const body = [{ ...server, name: `bulk-${method}-2`, id: one.json.id, token_secret: secret }]
  const answer = await api.ask(method, path, { body })
  expect(answer).toMatchObject({
    status: 400,
    json: { errors: [{ errors: { token_secret: ['Send a server with its secret alone.'] } }] },
  })
  expect(gateway.endpoints.size).toBe(before)
})
