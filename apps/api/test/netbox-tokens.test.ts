import { randomBytes } from 'node:crypto'
import { ApiTokens, Changes, Users } from '@netbox-pbs/core/ports'
import { Effect, Logger } from 'effect'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NetBoxConfig } from '../src/netbox/netbox-config.ts'
import { Visitor } from './pages/visitor.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { type NetBoxServer, type NetBoxToken, type NetBoxUser, startNetBox } from './support/netbox-server.ts'
import { type Answer, type Ask, adminToken, startTestApi, type TestApi } from './support/test-api.ts'

// Requests with tokens of a NetBox, which is a server in this process that answers over TLS.

const servers = '/api/plugins/pbs/servers/'
const check = '/api/authentication-check/'

let netBox: NetBoxServer
let api: TestApi
const logged: Array<string> = []
/** Every token that NetBox has made. */
const secrets: Array<string> = []

const configOf = (server: NetBoxServer, ca: string | null = server.certificate): NetBoxConfig => ({
  url: new URL(server.url),
  ca,
  groupRoles: [
    { group: 'pbs admins', role: 'admin' },
    { group: 'backup', role: 'operator' },
    { group: 'staff', role: 'viewer' },
  ],
})

const logger = Logger.make((entry) => {
  logged.push(JSON.stringify([entry.message, entry.cause, [...entry.annotations]]))
})

beforeAll(async () => {
  netBox = await startNetBox()
  api = await startTestApi(fakeGateway().layer, { netBox: configOf(netBox), logger })
})
afterAll(async () => {
  await api.stop()
  await netBox.close()
})
beforeEach(() => {
  netBox.instead = null
  netBox.asked.length = 0
})

const letters = (length: number): string => randomBytes(length).toString('hex').slice(0, length)

let id = 100
const person = (username: string, ...groups: ReadonlyArray<string>): NetBoxUser => ({ id: id++, username, groups })

/** A new token of a user, of version 2 unless told. */
function tokenOf(user: NetBoxUser, about: Partial<NetBoxToken> & { readonly version?: 1 } = {}): string {
  const { version, ...more } = about
  const text = version === 1 ? letters(40) : `nbt_${letters(12)}.${letters(40)}`
  netBox.tokens.push({ text, user, ...more })
  secrets.push(text)
  return text
}

const as = (text: string, path = check, method = 'GET', ask: Ask = {}): Promise<Answer> =>
  api.ask(method, path, {
    ...ask,
    token: null,
    headers: { Authorization: `${text.startsWith('nbt_') ? 'Bearer' : 'Token'} ${text}` },
  })
const refused = async (text: string) => {
  const { status, json } = await as(text, servers)
  return [status, json.detail]
}
const userNamed = async (username: string) =>
  (await api.ask('GET', `/api/users/users/?username=${username}`)).json.results[0]

describe('a token of NetBox', () => {
  test('makes the user whom NetBox names, with the role of the highest group', async () => {
    const token = tokenOf({ ...person('ada', 'staff', 'backup'), first_name: 'Ada', email: 'ada@example.com' })
    const { status, json } = await as(token)
    expect([status, json]).toEqual([200, await userNamed('ada')])
    expect(json).toMatchObject({
      ...{ first_name: 'Ada', email: 'ada@example.com', role: { value: 'operator' }, servers: null },
      ...{ has_password: false, is_active: true, last_login: null },
    })
    expect(netBox.asked).toEqual([
      {
        method: 'GET',
        path: '/netbox/api/authentication-check/',
        authorization: `Bearer ${token}`,
        realIp: '127.0.0.1',
      },
      {
        ...{ method: 'GET', authorization: `Bearer ${token}`, realIp: '127.0.0.1' },
        path: `/netbox/api/users/tokens/?key=${token.slice(4, 16)}`,
      },
    ])
    const { json: log } = await api.ask('GET', '/api/plugins/pbs/changes/?changed_object_type=users.user')
    expect(log.results[0]).toMatchObject({ user_name: 'ada', object_repr: 'ada', action: { value: 'create' } })
  })

  test('is asked about once, by many requests at once and later', async () => {
    const token = tokenOf(person('busy', 'staff'))
    const answers = await Promise.all(Array.from({ length: 20 }, () => as(token, servers)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await as(token)).status).toBe(200)
    expect(netBox.asked).toHaveLength(2)
    expect((await api.ask('GET', '/api/plugins/pbs/changes/?object_repr=busy')).json.count).toBe(1)
  })

  test('is of the same user under another name, by the id in NetBox', async () => {
    const user = person('grace', 'staff')
    const before = (await as(tokenOf(user))).json
    Object.assign(user, { username: 'admiral', groups: ['pbs admins'] })
    const after = (await as(tokenOf(user))).json
    expect(after).toEqual({ ...before, role: { value: 'admin', label: 'Admin' } })
    expect(await userNamed('admiral')).toBeUndefined()
  })

  test('does not lift the limit of a user to some servers', async () => {
    const user = person('lin', 'backup')
    const made = (await as(tokenOf(user))).json
    await api.ask('PATCH', `/api/users/users/${made.id}/`, { body: { servers: [] } })
    Object.assign(user, { groups: ['pbs admins'] })
    expect((await as(tokenOf(user))).json).toMatchObject({ id: made.id, role: { value: 'operator' }, servers: [] })
  })

  test.each([
    ['of version 2', {}],
    ['of version 1', { version: 1 } as const],
  ])('%s writes if it may in NetBox', async (_, version) => {
    const user = person(`w${letters(6)}`, 'pbs admins')
    const body = { name: 'x', host: 'x' }
    const writes = await as(tokenOf(user, version), servers, 'POST', { body })
    expect([writes.status, Object.keys(writes.json)]).toEqual([400, ['token_id']])
    const reads = tokenOf(user, { ...version, write_enabled: false })
    expect((await as(reads, servers)).status).toBe(200)
    expect((await as(reads, servers, 'POST', { body })).json).toEqual({
      detail: 'You do not have permission to perform this action.',
    })
  })

  test('may only read where NetBox does not show the token, or not what it may do', async () => {
    const user = person('hidden', 'pbs admins')
    for (const version of [{}, { version: 1 } as const]) {
      const token = tokenOf(user, version)
      netBox.instead = (response) => {
        const isCheck = netBox.asked.at(-1)?.path.endsWith('check/')
        const body = isCheck
          ? { id: user.id, username: user.username, groups: [{ name: 'pbs admins' }] }
          : { results: [] }
        response.writeHead(200).end(JSON.stringify(body))
      }
      expect((await as(token, servers)).status).toBe(200)
      expect((await as(token, servers, 'POST', { body: {} })).status).toBe(403)
    }
  })

  test('ends with its user here, at once', async () => {
    const token = tokenOf(person('gone', 'staff'))
    const { json } = await as(token)
    await api.ask('PATCH', `/api/users/users/${json.id}/`, { body: { is_active: false } })
    expect(await refused(token)).toEqual([403, 'User inactive'])
  })

  test('creates no token here, which would outlive it, and opens no session', async () => {
    const token = tokenOf(person('keeper', 'pbs admins'))
    const made = await as(token, '/api/users/tokens/', 'POST', { body: {} })
    expect([made.status, made.json.detail]).toEqual([403, expect.stringContaining('cannot create tokens here')])
    const visitor = new Visitor(api.url)
    const answer = await visitor.send('/plugins/pbs/login/', { token, next: '/plugins/pbs/' })
    expect([answer.status, visitor.cookie]).toEqual([403, null])
  })
})

describe('a token of NetBox is refused', () => {
  test('when its user has the name of another user here, in any case', async () => {
    expect(await refused(tokenOf(person('ADMIN', 'pbs admins')))).toEqual([
      403,
      expect.stringContaining('There is another user ADMIN here, who is not the one of NetBox.'),
    ])
  })

  test('when no group of its user has a role', async () => {
    expect(await refused(tokenOf(person('bob', 'visitors', '*')))).toEqual([
      403,
      'None of your groups in NetBox has a role here.',
    ])
    expect(await userNamed('bob')).toBeUndefined()
  })

  const past = '2020-01-01T00:00:00Z'
  test.each([
    [{ allowed: ['192.0.2.1'] }, 'Source IP 127.0.0.1 is not permitted to authenticate using this token.'],
    [{ enabled: false }, 'Token disabled'],
    [{ expires: past }, 'Token expired'],
  ])('in the words of NetBox: %j', async (about, sentence) => {
    expect(await refused(tokenOf(person('eve', 'staff'), about))).toEqual([403, sentence])
  })

  test('when NetBox does not know it, about which it is asked once', async () => {
    for (const text of [letters(40), `nbt_${letters(12)}.${letters(40)}`]) {
      netBox.asked.length = 0
      const sentence = `Invalid v${text.startsWith('nbt_') ? 2 : 1} token`
      expect([await refused(text), await refused(text)]).toEqual([
        [403, sentence],
        [403, sentence],
      ])
      expect(netBox.asked).toHaveLength(1)
    }
  })

  test('with no other words of NetBox than those about tokens', async () => {
    netBox.instead = (response) => response.writeHead(403).end('{"detail":"<b>Call 555-0100</b>"}')
    expect(await refused(letters(40))).toEqual([403, 'Invalid v1 token'])
  })
})

test.each([
  adminToken.replace(/.$/, 'b'),
  'short',
  `nbt_${'k'.repeat(12)}.short`,
  `nbt_${'k'.repeat(13)}.${'s'.repeat(40)}`,
  `${'a'.repeat(39)}é`,
])('%j is not sent to NetBox', async (text) => {
  expect(await refused(text)).toEqual([403, expect.stringMatching(/^Invalid v[12] token$/)])
  expect(netBox.asked).toEqual([])
})

test('tokens of this system are not sent to NetBox', async () => {
  expect((await api.ask('GET', servers)).status).toBe(200)
  expect(netBox.asked).toEqual([])
})

describe('while NetBox cannot be asked', () => {
  const sentence = (why: string) =>
    `This token is not one of this system, and NetBox cannot be asked about it: ${why}. Try again.`

  test.each<[string, NonNullable<NetBoxServer['instead']>]>([
    ['it answered with status 302', (response) => response.writeHead(302, { Location: `${api.url}/stolen` }).end()],
    ['it answered with status 500', (response) => response.writeHead(500).end('{}')],
    ['it is older than NetBox 4.5', (response) => response.writeHead(404).end('<html>')],
    ['it did not answer like NetBox', (response) => response.writeHead(200).end('<html>')],
    ['it did not answer like NetBox', (response) => response.writeHead(200).end('{"id":0,"username":"x","groups":[]}')],
    ['it does not answer', (response) => response.socket?.destroy()],
    ['it does not answer', (response) => response.writeHead(200).end(`"${'x'.repeat(2_000_000)}"`)],
  ])('the answer is a 503: %s', async (why, instead) => {
    const token = tokenOf(person('late', 'staff'))
    netBox.instead = instead
    expect(await refused(token)).toEqual([503, sentence(why)])
    const asked = netBox.asked.length
    expect(await refused(token)).toEqual([503, sentence(why)])
    expect(netBox.asked).toHaveLength(asked)
    netBox.instead = null
    expect((await as(tokenOf(person(`l${letters(6)}`, 'staff')), servers)).status).toBe(200)
    expect((await api.ask('GET', servers)).status).toBe(200)
  })

  test('since its certificate is not trusted, it gets no token', async () => {
    const careful = await startTestApi(fakeGateway().layer, { netBox: configOf(netBox, null), logger })
    try {
      const { status, json } = await careful.ask('GET', servers, { token: tokenOf(person('late', 'staff')) })
      expect([status, json.detail]).toEqual([503, sentence('its certificate is not trusted')])
      expect(netBox.asked).toEqual([])
    } finally {
      await careful.stop()
    }
  })
})

test('without a NetBox its tokens are unknown', async () => {
  const alone = await startTestApi(fakeGateway().layer)
  try {
    const { status, json } = await alone.ask('GET', servers, { token: tokenOf(person('ada', 'staff')) })
    expect([status, json.detail, netBox.asked]).toEqual([403, 'Invalid v2 token', []])
  } finally {
    await alone.stop()
  }
})

test('no token was logged or stored', async () => {
  const stored = await api.run(
    Effect.gen(function* () {
      const page = { limit: 1000, offset: 0 }
      const [users, tokens, changes] = [yield* Users, yield* ApiTokens, yield* Changes]
      return [yield* users.list(page), yield* tokens.list(page), yield* changes.list({ filter: {}, ...page })]
    }),
  )
  const text = JSON.stringify([stored, logged])
  expect(logged.join()).toContain('NetBox cannot be asked about a token')
  expect(text).toContain('"ada"')
  for (const secret of secrets) expect(text).not.toContain(secret.slice(-40))
})
