import { Changes, Users } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Visitor } from '../pages/visitor.ts'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from '../support/test-api.ts'

const path = '/api/users/users/'
const provision = '/api/users/tokens/provision/'
const root = '/api/plugins/pbs/'
const password = 'correct horse battery'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api.stop())

const make = async (username: string, more: object = {}) => {
  const { status, json } = await api.ask('POST', path, { body: { username, password, ...more } })
  expect([status, json.username]).toEqual([201, username])
  return json
}
/** A request with a fresh token of a user. */
const asUser = async (user: number, more: object = {}) => {
  const { json } = await api.ask('POST', '/api/users/tokens/', { body: { user, ...more } })
  return (method: string, target: string, body?: unknown): Promise<Answer> =>
    api.ask(method, target, { token: `nbt_${json.key}.${json.token}`, ...(body === undefined ? {} : { body }) })
}
/** All that is stored of a user, and the change log. */
const stored = (username: string) =>
  api.run(
    Effect.gen(function* () {
      const user = Option.getOrNull(yield* (yield* Users).byName({ username }))
      const { rows } = yield* (yield* Changes).list({ filter: {}, limit: 1000, offset: 0 })
      return JSON.stringify([user, rows])
    }),
  )
const noPermission = { detail: 'You do not have permission to perform this action.' }

describe('5: users', () => {
  test('are created as NetBox shows them, and the password is never shown nor stored', async () => {
    const made = await make('ada', { first_name: 'Ada', last_name: 'L.', email: 'ada@example.com' })
    expect(made).toEqual({
      id: expect.any(Number),
      url: `${api.url}${path}${made.id}/`,
      display: 'ada (Ada L.)',
      username: 'ada',
      first_name: 'Ada',
      last_name: 'L.',
      email: 'ada@example.com',
      is_active: true,
      role: { value: 'viewer', label: 'Viewer' },
      servers: null,
      date_joined: expect.stringMatching(/Z$/),
      last_login: null,
      has_password: true,
      groups: [],
      permissions: [],
    })
    expect((await api.ask('GET', `${path}${made.id}/`)).json).toEqual(made)
    expect((await api.ask('GET', `${path}?username=ada`)).json.results).toEqual([made])
    const text = await stored('ada')
    expect(text).not.toContain(password)
    expect(text).toContain('scrypt$')
  })

  test.each([
    [{}, { username: ['This field is required.'], password: ['This field is required.'] }],
    [{ username: '', password }, { username: ['This field may not be blank.'] }],
    [{ username: 'a b', password }, { username: [expect.stringContaining('Enter a valid username.')] }],
    [{ username: 'a'.repeat(151), password }, { username: ['Ensure this field has no more than 150 characters.'] }],
    [{ username: 'ADMIN', password }, { username: ['A user with this username already exists.'] }],
    [{ username: 'x', password: 'short' }, { password: [expect.stringContaining('too short')] }],
    [{ username: 'x', password: 'p'.repeat(129) }, { password: [expect.stringContaining('no more than 128')] }],
    [{ username: 'x', password, email: 'not one' }, { email: ['Enter a valid email address.'] }],
    [{ username: 'x', password, role: 'root' }, { role: ['root is not a valid choice.'] }],
    [{ username: 'x', password, is_active: 'maybe' }, { is_active: ['Must be a valid boolean.'] }],
    [{ username: 'x', password, servers: [999] }, { servers: ['There is no server with the id 999.'] }],
    [{ username: 'x', password, servers: ['no'] }, { servers: ['There is no server with the name no.'] }],
    [{ username: 'x', password, servers: 1 }, { servers: ['Expected a list of items but got type "int".'] }],
    [
      { username: 'x', password, role: 'admin', servers: [] },
      { servers: [expect.stringContaining('An admin sees all')] },
    ],
    [{ username: 'x', password, is_superuser: true }, { is_superuser: [expect.stringContaining('role admin')] }],
    [{ username: 'x', password, groups: [1] }, { groups: [expect.stringContaining('Groups are not offered')] }],
    ['text', { __all__: ['Invalid data. Expected a dictionary, but got str.'] }],
  ])('%j is refused by field', async (body, errors) => {
    const { status, json } = await api.ask('POST', path, { body })
    expect([status, json]).toEqual([400, errors])
  })

  test('of many are created, changed and deleted all or none', async () => {
    const count = async () => (await api.ask('GET', path)).json.count
    const before = await count()
    const twice = await api.ask('POST', path, {
      body: [
        { username: 'twin', password },
        { username: 'Twin', password },
      ],
    })
    expect([twice.status, twice.json]).toEqual([
      400,
      {
        detail: '1 of 2 objects could not be created.',
        errors: [{ index: 1, errors: { username: ['A user with this username already exists.'] } }],
      },
    ])
    expect(await count()).toBe(before)
    const { json } = await api.ask('POST', path, {
      body: [
        { username: 'one', password },
        { username: 'two', password },
      ],
    })
    const [one, two] = json
    const taken = await api.ask('PATCH', path, {
      body: [
        { id: one.id, first_name: 'One' },
        { id: two.id, username: 'one' },
      ],
    })
    expect(taken.json).toEqual({
      detail: '1 of 2 objects could not be updated.',
      errors: [{ id: two.id, errors: { username: ['A user with this username already exists.'] } }],
    })
    const changed = await api.ask('PATCH', path, { body: [one, two].map(({ id }) => ({ id, role: 'operator' })) })
    expect(changed.json).toEqual(
      [one, two].map((user) => ({ ...user, role: { value: 'operator', label: 'Operator' } })),
    )
    expect((await api.ask('DELETE', path, { body: [{ id: one.id }, { id: two.id }] })).status).toBe(204)
    expect(await count()).toBe(before)
    expect((await api.ask('GET', `${path}${one.id}/`)).json).toEqual({ detail: 'No User matches the given query.' })
  })

  test('an active admin stays', async () => {
    const [admin] = (await api.ask('GET', `${path}?username=admin`)).json.results
    for (const change of [{ role: 'viewer' }, { is_active: false }]) {
      const { status, json } = await api.ask('PATCH', `${path}${admin.id}/`, { body: change })
      expect([status, json]).toEqual([400, { role: [expect.stringContaining('no active admin')] }])
    }
    expect((await api.ask('DELETE', `${path}${admin.id}/`)).status).toBe(400)
    expect((await api.ask('GET', `${path}${admin.id}/`)).json).toEqual(admin)
  })

  test('the one of a request is told by the authentication check', async () => {
    const made = await make('grace', { role: 'operator' })
    const ask = await asUser(made.id)
    expect((await ask('GET', '/api/authentication-check/')).json).toEqual(made)
  })

  test('that is not active can use no token, and its tokens go with it', async () => {
    const made = await make('gone')
    const ask = await asUser(made.id)
    expect((await ask('GET', root)).status).toBe(200)
    await api.ask('PATCH', `${path}${made.id}/`, { body: { is_active: false } })
    expect((await ask('GET', root)).json).toEqual({ detail: 'User inactive' })
    await api.ask('DELETE', `${path}${made.id}/`)
    expect((await ask('GET', root)).json).toEqual({ detail: 'Invalid v2 token' })
  })
})

describe('roles', () => {
  const writes = [
    ['admin', 'POST', `${root}servers/`, {}],
    ['admin', 'PATCH', `${root}servers/999/`, {}],
    ['admin', 'DELETE', `${root}snapshots/999/`, undefined],
    ['admin', 'PATCH', `${root}settings/`, {}],
    ['admin', 'POST', `${root}servers/test/`, {}],
    ['admin', 'POST', path, {}],
    ['admin', 'DELETE', `${path}1/`, undefined],
    ['operator', 'POST', `${root}sync-runs/`, { servers: ['no such server'] }],
    ['operator', 'POST', `${root}sync-runs/999/cancel/`, {}],
    ['operator', 'POST', `${root}sync-runs/999/held/1/confirm/`, {}],
    ['operator', 'POST', `${root}sync-runs/999/held/1/dismiss/`, {}],
    ['operator', 'POST', `${root}branches/`, {}],
    ['operator', 'POST', `${root}branches/999/merge/`, {}],
    ['viewer', 'POST', '/api/users/tokens/', { version: 3 }],
  ] as const

  test.each(['viewer', 'operator'] as const)('%s: what it may do, and no more', async (role) => {
    const made = await make(`a-${role}`, { role })
    const ask = await asUser(made.id)
    for (const [needed, method, target, body] of writes) {
      const allowed = needed === 'viewer' || needed === role
      const { status, json } = await ask(method, target, body)
      expect([target, status === 403]).toEqual([target, !allowed])
      if (!allowed) expect(json).toEqual(noPermission)
    }
    for (const target of ['servers/', 'changes/', 'sync-runs/', 'settings/', 'branches/'])
      expect([target, (await ask('GET', `${root}${target}`)).status]).toEqual([target, 200])
  })

  test('others than admins see their own user and tokens only', async () => {
    const made = await make('curious')
    const ask = await asUser(made.id)
    expect((await ask('GET', path)).json).toMatchObject({ count: 1, results: [{ id: made.id }] })
    expect((await ask('GET', `${path}?id=1`)).json.count).toBe(0)
    expect((await ask('GET', `${path}1/`)).status).toBe(404)
    const { json: mine } = await ask('POST', '/api/users/tokens/', { description: 'mine' })
    expect(mine.user).toMatchObject({ id: made.id })
    const all = (await api.ask('GET', '/api/users/tokens/?limit=1000')).json.results
    const foreign = all.find(({ user }: { user: { id: number } }) => user.id === 1)
    const seen = (await ask('GET', '/api/users/tokens/?limit=1000')).json.results
    expect(new Set(seen.map(({ user }: { user: { id: number } }) => user.id))).toEqual(new Set([made.id]))
    expect((await ask('GET', `/api/users/tokens/?user_id=1`)).status).toBe(400)
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { enabled: false }],
      ['DELETE', undefined],
    ] as const)
      expect((await ask(method, `/api/users/tokens/${foreign.id}/`, body)).status).toBe(404)
    expect((await ask('DELETE', '/api/users/tokens/', [{ id: foreign.id }])).status).toBe(400)
    expect(await ask('POST', '/api/users/tokens/', { user: 1 })).toMatchObject({
      status: 403,
      json: { detail: 'This user does not have permission to create tokens for other users.' },
    })
    expect((await ask('DELETE', `/api/users/tokens/${mine.id}/`)).status).toBe(204)
  })
})

describe('5: a token for a password', () => {
  test('belongs to the user of the password, whoever the body names', async () => {
    const made = await make('linus', { role: 'operator' })
    const body = { username: 'linus', password, user: 1, description: 'first', version: 1 }
    const { status, json } = await api.ask('POST', provision, { token: null, body })
    expect(status).toBe(201)
    expect(json).toMatchObject({ user: { id: made.id }, version: 1, key: null, description: 'first' })
    const headers = { Authorization: `Token ${json.token}` }
    const me = await api.ask('GET', '/api/authentication-check/', { token: null, headers })
    expect(me.json).toMatchObject({ id: made.id, last_login: expect.stringMatching(/Z$/) })
  })

  test.each([
    [{ username: 'linus', password: 'another horse' }, 403, { detail: 'Invalid username/password' }],
    [{ username: 'absent', password }, 403, { detail: 'Invalid username/password' }],
    [{ username: 'admin', password }, 403, { detail: 'Invalid username/password' }],
    [{ username: 'a\0b', password }, 403, { detail: 'Invalid username/password' }],
    [{ username: 'linus' }, 400, { password: ['This field is required.'] }],
    [
      { username: 'linus', password: 5, version: 3 },
      400,
      { password: ['Not a valid string.'], version: ['"3" is not a valid choice.'] },
    ],
  ])('%j is refused', async (body, status, answer) => {
    const refused = await api.ask('POST', provision, { token: null, body })
    expect([refused.status, refused.json]).toEqual([status, answer])
  })

  test('a bad token is refused here too', async () => {
    const headers = { Authorization: 'Token nope' }
    const refused = await api.ask('POST', provision, { token: null, headers, body: { username: 'linus', password } })
    expect([refused.status, refused.json]).toEqual([403, { detail: 'Invalid v1 token' }])
  })

  test('failed logins slow the next one down', async () => {
    await make('slow')
    const attempt = (text: string) =>
      api.ask('POST', provision, { token: null, body: { username: 'slow', password: text } })
    const failed = await Promise.all(Array.from({ length: 9 }, () => attempt('wrong horse battery')))
    expect(failed.map(({ status }) => status).sort()).toEqual([403, 403, 403, 403, 403, 429, 429, 429, 429])
    const slowed = failed.find(({ status }) => status === 429)
    expect(slowed?.json).toEqual({ detail: expect.stringMatching(/^Too many logins have failed\. Try again in /) })
    expect(Number(slowed?.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('signing in with a password', () => {
  const signIn = async (username: string, text = password) => {
    const visitor = new Visitor(api.url)
    const answer = await visitor.send('/plugins/pbs/login/', {
      username,
      password: text,
      next: '/plugins/pbs/servers/',
    })
    return { visitor, answer }
  }

  test('opens a session of that user, with what its role allows', async () => {
    await make('rosa', { role: 'viewer' })
    const { visitor, answer } = await signIn(' rosa ')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/plugins/pbs/servers/'])
    expect((await visitor.get('/plugins/pbs/servers/')).text).toContain('rosa')
    expect((await visitor.get('/plugins/pbs/servers/add/')).status).toBe(403)
    expect((await visitor.get('/plugins/pbs/branches/add/')).status).toBe(403)
    await make('olga', { role: 'operator' })
    const operator = (await signIn('olga')).visitor
    expect((await operator.get('/plugins/pbs/servers/add/')).status).toBe(403)
    expect((await operator.get('/plugins/pbs/branches/add/')).status).toBe(200)
    await make('alma', { role: 'admin' })
    expect((await (await signIn('alma')).visitor.get('/plugins/pbs/servers/add/')).status).toBe(200)
  })

  test('a wrong one is a 403 with a sentence, no session, and is not shown again', async () => {
    const { visitor, answer } = await signIn('rosa', 'let me in, please')
    expect([answer.status, visitor.cookie]).toEqual([403, null])
    expect(answer.text).toContain('The user name and the password do not belong together.')
    expect(answer.text).not.toContain('let me in, please')
  })

  test('its session ends with a new password, and with the user', async () => {
    const { id } = await make('eva')
    const { visitor } = await signIn('eva')
    await api.ask('PATCH', `${path}${id}/`, { body: { first_name: 'Eva' } })
    expect((await visitor.get('/plugins/pbs/')).status).toBe(200)
    await api.ask('PATCH', `${path}${id}/`, { body: { password: 'another horse battery' } })
    expect((await visitor.get('/plugins/pbs/')).status).toBe(303)
    const { json: log } = await api.ask('GET', `${root}changes/?changed_object_type=users.user&changed_object_id=${id}`)
    expect(log.results[0]).toMatchObject({ postchange_data: { password: 'changed' } })
    const again = (await signIn('eva', 'another horse battery')).visitor
    expect((await again.get('/plugins/pbs/')).status).toBe(200)
    await api.ask('PATCH', `${path}${id}/`, { body: { is_active: false } })
    expect((await again.get('/plugins/pbs/')).status).toBe(303)
    expect((await signIn('eva', 'another horse battery')).answer.status).toBe(403)
  })
})
