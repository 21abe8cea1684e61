import { createHash } from 'node:crypto'
import { ApiTokens, Changes } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Answer, adminToken, startTestApi, type TestApi } from '../support/test-api.ts'

const path = '/api/users/tokens/'
const servers = '/api/plugins/pbs/servers/'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api.stop())

const make = async (body: object = {}) => (await api.ask('POST', path, { body })).json
/** How a client sends a token that was just made. */
const sent = ({ version, key, token }: { version: number; key: string; token: string }) =>
  version === 1 ? `Token ${token}` : `Bearer nbt_${key}.${token}`
const as = (authorization: string, method = 'GET', target = servers): Promise<Answer> =>
  api.ask(method, target, { token: null, headers: { Authorization: authorization } })
/** All that is stored of a token: its record, with the hash, and the change log. */
const stored = ({ key }: { readonly key: string }) =>
  api.run(
    Effect.gen(function* () {
      const found = Option.getOrNull(yield* (yield* ApiTokens).find({ key }))
      const { rows } = yield* (yield* Changes).list({ filter: {}, limit: 1000, offset: 0 })
      return { hash: found?.secretHash, text: JSON.stringify([found, rows]) }
    }),
  )
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('5: authentication', () => {
  const credentials = 'Authentication credentials were not provided.'
  const form = 'Invalid authorization header: Must be in the form "Bearer <key>.<token>" or "Token <token>"'
  const dot =
    "Invalid authorization header: Could not parse key from v2 token. Did you mean to use 'Token' instead of 'Bearer'?"
  const headers = [
    [null, credentials],
    ['', credentials],
    ['Basic YWRtaW46YWRtaW4=', credentials],
    ['garbage', credentials],
    ['Token', form],
    ['Bearer', form],
    ['Token a b', form],
    ['Bearer a b', form],
    ['Token nbt_abc', dot],
    ['Bearer nbt_abc', dot],
    ['Token 0123456789012345678901234567890123456789', 'Invalid v1 token'],
    ['Bearer abc', 'Invalid v1 token'],
    ['Bearer nbt_abcdefghijkl.xyz', 'Invalid v2 token'],
    ['Token nbt_abcdefghijkl.xyz', 'Invalid v2 token'],
    ['bearer nbt_testtoken001.wrong', 'Invalid v2 token'],
  ] as const
  const requests = [
    ['GET', `${servers}?limit=1`],
    ['GET', `${servers}1/`],
    ['POST', servers],
    ['DELETE', `${servers}999999/`],
    ['OPTIONS', servers],
    ['GET', '/api/plugins/pbs/'],
    ['GET', '/api/authentication-check/'],
  ] as const

  test.each(headers)('%j is a 403 without a challenge, before anything else is looked at', async (header, detail) => {
    for (const [method, target] of requests) {
      const answer = await api.ask(method, target, {
        token: null,
        ...(header === null ? {} : { headers: { Authorization: header } }),
        documented: false,
      })
      expect([method, target, answer.status, answer.json]).toEqual([method, target, 403, { detail }])
      expect(answer.headers.has('www-authenticate')).toBe(false)
      expect(answer.headers.get('allow')).toContain('OPTIONS')
    }
  })

  test('either keyword is taken with either version, in any case', async () => {
    const [one, two] = [await make({ version: 1 }), await make({ version: 2 })]
    for (const keyword of ['Token', 'Bearer', 'token', 'BEARER']) {
      expect((await as(`${keyword} ${one.token}`)).status).toBe(200)
      expect((await as(`${keyword} nbt_${two.key}.${two.token}`)).status).toBe(200)
    }
  })

  test('a token that may only read is refused on every write, and still reads', async () => {
    const token = sent(await make({ write_enabled: false }))
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await as(token, method)
      expect([answer.status, answer.json]).toEqual([
        403,
        { detail: 'You do not have permission to perform this action.' },
      ])
    }
    expect((await as(token, 'DELETE', `${servers}999999/`)).status).toBe(403)
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect((await as(token, method)).status).toBe(200)
  })

  test('the network is judged before the switch, and the switch before the end', async () => {
    const made = await make({ allowed_ips: ['192.0.2.0/24'] })
    const change = (body: object) => api.ask('PATCH', `${path}${made.id}/`, { body })
    const detail = async () => (await as(sent(made))).json?.detail
    await change({ enabled: false, expires: '2020-01-01T00:00:00Z' })
    expect(await detail()).toBe('Source IP 127.0.0.1 is not permitted to authenticate using this token.')
    await change({ allowed_ips: ['127.0.0.0/8', '2001:db8::/32'] })
    expect(await detail()).toBe('Token disabled')
    await change({ enabled: true })
    expect(await detail()).toBe('Token expired')
    await change({ expires: null })
    expect((await as(sent(made))).status).toBe(200)
  })

  test('a use is noted once a minute', async () => {
    const made = await make()
    const lastUsed = async () => (await api.ask('GET', `${path}${made.id}/`)).json.last_used
    expect(await lastUsed()).toBeNull()
    await as(sent(made))
    const first = await lastUsed()
    expect(Date.now() - Date.parse(first)).toBeLessThan(60_000)
    await as(sent(made))
    expect(await lastUsed()).toBe(first)
  })
})

describe('5: tokens', () => {
  test('of version 2 has a public key, and its text is shown in the answer to its creation only', async () => {
    const { status, json, headers } = await api.ask('POST', path, { body: { description: 'for scripts' } })
    expect(status).toBe(201)
    expect(json).toEqual({
      id: expect.any(Number),
      url: `${api.url}${path}${json.id}/`,
      display: json.key,
      version: 2,
      key: expect.stringMatching(/^[A-Za-z0-9]{12}$/),
      user: { id: 1, url: `${api.url}/api/users/users/1/`, display: 'admin', username: 'admin' },
      description: 'for scripts',
      created: expect.stringMatching(/Z$/),
      expires: null,
      last_used: null,
      enabled: true,
      write_enabled: true,
      allowed_ips: [],
      token: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
    })
    expect(headers.get('location')).toBe(`${api.url}${path}${json.id}/`)
    const { token, ...shown } = json
    const detail = await api.ask('GET', `${path}${json.id}/`)
    expect(detail.json).toEqual(shown)
    const list = await api.ask('GET', `${path}?key=${json.key}`)
    expect(list.json).toEqual({ count: 1, next: null, previous: null, results: [shown] })
    const { hash, text } = await stored(json)
    expect(hash).toBe(sha256(token))
    expect(text).not.toContain(token)
  })

  test('of version 1 has no key, is stored hashed, and cannot be found by a part of it', async () => {
    const made = await make({ version: 1 })
    expect(made).toMatchObject({ version: 1, key: null, token: expect.stringMatching(/^[A-Za-z0-9]{40}$/) })
    expect((await as(`Token ${made.token}`)).status).toBe(200)
    expect((await as(`Token nbt_${made.token.slice(0, 12)}.${made.token}`)).json.detail).toBe('Invalid v2 token')
    const key = sha256(made.token).slice(0, 12)
    const { hash, text } = await stored({ key })
    expect(hash).toBe(sha256(made.token))
    expect(text).not.toContain(made.token)
    expect((await api.ask('GET', `${path}?key=${key}`)).json.count).toBe(0)
  })

  test('takes a text that its creator chose, once', async () => {
    const token = 'c'.repeat(40)
    expect(await make({ version: 1, token })).toMatchObject({ version: 1, token })
    expect((await as(`Token ${token}`)).status).toBe(200)
    const again = await api.ask('POST', path, { body: { version: 1, token } })
    expect([again.status, again.json]).toEqual([400, { token: ['Token with this token already exists.'] }])
  })

  test('is changed in all but its user, version and secret; what is left out stays, also with PUT', async () => {
    const { token, ...made } = await make({ description: 'old', write_enabled: false })
    const change = {
      description: 'new',
      enabled: false,
      expires: '2099-01-01',
      allowed_ips: ['10.0.0.1', '2001:DB8::/32'],
    }
    const patched = await api.ask('PATCH', `${path}${made.id}/`, { body: change })
    const expected = {
      ...made,
      description: 'new',
      enabled: false,
      expires: '2099-01-01T00:00:00Z',
      allowed_ips: ['10.0.0.1/32', '2001:db8::/32'],
    }
    expect([patched.status, patched.json]).toEqual([200, expected])
    const put = await api.ask('PUT', `${path}${made.id}/`, { body: { ...expected, enabled: true } })
    expect([put.status, put.json]).toEqual([200, { ...expected, enabled: true }])
    const refused = await api.ask('PATCH', `${path}${made.id}/`, { body: { token: 'd'.repeat(40) } })
    expect([refused.status, refused.json]).toEqual([
      400,
      { token: ['The token itself cannot be changed: create another one.'] },
    ])
    const { json: log } = await api.ask(
      'GET',
      `/api/plugins/pbs/changes/?changed_object_type=users.token&action=update`,
    )
    expect(log.results[1]).toMatchObject({
      changed_object_id: made.id,
      prechange_data: { description: 'old', enabled: true, expires: null, allowed_ips: [] },
      postchange_data: { description: 'new', enabled: false },
    })
  })

  test('of many are made, changed and deleted all or none', async () => {
    const all = async () => (await api.ask('GET', path)).json.count
    const before = await all()
    const bad = await api.ask('POST', path, { body: [{ description: 'a' }, { version: 3 }, { enabled: 'maybe' }] })
    expect([bad.status, bad.json]).toEqual([
      400,
      {
        detail: '2 of 3 objects could not be created.',
        errors: [
          { index: 1, errors: { version: ['"3" is not a valid choice.'] } },
          { index: 2, errors: { enabled: ['Must be a valid boolean.'] } },
        ],
      },
    ])
    expect(await all()).toBe(before)
    const { json: made, status } = await api.ask('POST', path, { body: [{ description: 'a' }, { version: 1 }] })
    expect([status, made.length, made[0].description, made[1].version]).toEqual([201, 2, 'a', 1])
    for (const token of made) expect((await as(sent(token))).status).toBe(200)

    const missing = await api.ask('PATCH', path, { body: [{ id: made[0].id, description: 'b' }, { id: 999_999 }] })
    expect([missing.status, missing.json]).toEqual([
      400,
      {
        detail: '1 of 2 objects could not be found.',
        errors: [{ id: 999_999, errors: { id: ['Object with ID 999999 does not exist'] } }],
      },
    ])
    const wrong = await api.ask('PATCH', path, {
      body: [
        { id: made[0].id, description: 'b' },
        { id: made[1].id, expires: 'soon' },
      ],
    })
    expect(wrong.json).toMatchObject({ detail: '1 of 2 objects could not be updated.', errors: [{ id: made[1].id }] })
    const bodies = made.map(({ id }: { id: number }) => ({ id, description: 'c' }))
    const changed = await api.ask('PATCH', path, { body: bodies })
    expect(changed.json.map(({ description }: { description: string }) => description)).toEqual(['c', 'c'])
    expect((await api.ask('DELETE', path, { body: bodies })).status).toBe(204)
    expect(await all()).toBe(before)
    expect((await as(sent(made[0]))).json).toEqual({ detail: 'Invalid v2 token' })
  })

  test.each([
    [{ write_enabled: 'maybe' }, { write_enabled: ['Must be a valid boolean.'] }],
    [{ expires: 'soon' }, { expires: [expect.stringContaining('Datetime has wrong format.')] }],
    [
      { expires: '2020-01-01' },
      {
        expires: [
          expect.stringMatching(/^Expiration time must be in the future\. Current server time is .* \(UTC\)\.$/),
        ],
      },
    ],
    [{ version: 'x' }, { version: ['"x" is not a valid choice.'] }],
    [
      { allowed_ips: ['10.0.0.0/8', '10.0.0.0/99'] },
      { allowed_ips: [expect.stringContaining('10.0.0.0/99 is not a')] },
    ],
    [{ allowed_ips: '10.0.0.0/8' }, { allowed_ips: ['Expected a list of items but got type "str".'] }],
    [{ allowed_ips: [null] }, { allowed_ips: [expect.stringContaining('NoneType is not a network')] }],
    [{ token: 'short' }, { token: [expect.stringContaining('40 letters and digits')] }],
    [{ key: 'mine' }, { key: [expect.stringContaining('leave key out')] }],
    [{ description: 'd'.repeat(201) }, { description: ['Ensure this field has no more than 200 characters.'] }],
    ['text', { __all__: ['Invalid data. Expected a dictionary, but got str.'] }],
  ])('%j is refused by field', async (body, errors) => {
    const { status, json } = await api.ask('POST', path, { body })
    expect([status, json]).toEqual([400, errors])
  })

  test('are filtered by user, key and switches', async () => {
    const made = await make({ enabled: false, write_enabled: false })
    const ids = async (query: string) =>
      (await api.ask('GET', `${path}?${query}&limit=1000`)).json.results.map(({ id }: { id: number }) => id)
    expect(await ids(`id=${made.id}`)).toEqual([made.id])
    expect(await ids('enabled=false&write_enabled=false')).toEqual([made.id])
    expect(await ids('enabled=true')).not.toContain(made.id)
    expect(await ids('user=admin&user_id=1')).toContain(made.id)
  })

  test('the one of a request can end itself', async () => {
    const made = await make()
    expect((await as(sent(made), 'DELETE', `${path}${made.id}/`)).status).toBe(204)
    expect((await as(sent(made))).json).toEqual({ detail: 'Invalid v2 token' })
    expect((await api.ask('GET', `${path}${made.id}/`)).json).toEqual({ detail: 'No Token matches the given query.' })
    expect((await as(`Bearer ${adminToken}`)).status).toBe(200)
  })
})
