import { createServer } from 'node:net'
import { Identities, Users } from '@netbox-pbs/core/ports'
import { Effect, Logger, Option, Redacted } from 'effect'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenIdConfig } from '../src/openid/openid-config.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { type OpenIdProvider, startOpenIdProvider } from './support/openid-provider.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

// Sign-in with a real provider of OpenID Connect in this process, over real HTTP.

let provider: OpenIdProvider
let api: TestApi
const logged: Array<string> = []

/** A port that is free now: the provider must know where the browser comes back to. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  return typeof address === 'object' && address !== null ? address.port : 0
}

beforeAll(async () => {
  const port = await freePort()
  provider = await startOpenIdProvider(`http://127.0.0.1:${port}/plugins/pbs/login/openid/callback/`)
  const openId: OpenIdConfig = {
    issuer: new URL(provider.issuer),
    clientId: provider.clientId,
    clientSecret: Option.some(Redacted.make(provider.clientSecret)),
    name: 'Example <SSO>',
    scope: 'openid profile email groups',
    usernameClaim: 'preferred_username',
    groupsClaim: 'groups',
    groupRoles: [
      { group: 'pbs-admins', role: 'admin' },
      { group: 'backup', role: 'operator' },
      { group: 'staff', role: 'viewer' },
    ],
  }
  const logger = Logger.make(({ message }) => {
    logged.push(String(message))
  })
  api = await startTestApi(fakeGateway().layer, { port, openId, logger })
})
afterAll(async () => {
  await api.stop()
  await provider.stop()
})
beforeEach(() => {
  provider.broken = false
  logged.length = 0
})

/** A browser: it keeps cookies and follows redirects, also to the other site. */
class Browser {
  readonly cookies = new Map<string, string>()

  async get(address: string): Promise<{ readonly url: string; readonly status: number; readonly text: string }> {
    for (let url = new URL(address, api.url).href, hops = 0; hops < 12; hops++) {
      const { host } = new URL(url)
      const cookie = [...this.cookies].flatMap(([key, value]) => {
        const [at, name] = key.split(' ')
        return at === host ? [`${name}=${value}`] : []
      })
      const response = await fetch(url, { redirect: 'manual', headers: { Cookie: cookie.join('; ') } })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '') this.cookies.delete(`${host} ${name}`)
        else this.cookies.set(`${host} ${name}`, value)
      }
      const next = response.headers.get('location')
      const text = await response.text()
      if (next === null) return { url, status: response.status, text }
      url = new URL(next, url).href
    }
    throw new Error('redirected too often')
  }

  /** The cookie of a session here; none when signed out. */
  get session(): string | undefined {
    return this.cookies.get(`${new URL(api.url).host} netbox_pbs_session`)
  }
}

const start = '/plugins/pbs/login/openid/'
const ada = {
  sub: 'a-1',
  preferred_username: 'ada',
  given_name: 'Ada',
  family_name: 'L.',
  email: 'ada@example.com',
  groups: ['staff', 'pbs-admins'],
}

const userNamed = (username: string) =>
  api.run(
    Effect.flatMap(Users, (users) =>
      Effect.map(users.list({ search: username, limit: 100, offset: 0 }), ({ rows }) =>
        rows.find((user) => user.username === username),
      ),
    ),
  )

describe('a sign-in with a provider', () => {
  test('is offered on the sign-in page, with the name escaped', async () => {
    const { text } = await new Browser().get('/plugins/pbs/login/?next=/plugins/pbs/snapshots/')
    expect(text).toContain('href="/plugins/pbs/login/openid/?next=%2Fplugins%2Fpbs%2Fsnapshots%2F"')
    expect(text).toContain('Sign in with Example &lt;SSO&gt;')
  })

  test('makes a user with the role of the highest group, and leads to the page that was asked for', async () => {
    provider.person = ada
    const browser = new Browser()
    const { url, status } = await browser.get(`${start}?next=/plugins/pbs/settings/`)
    expect([new URL(url).pathname, status]).toEqual(['/plugins/pbs/settings/', 200])
    expect(browser.session).toBeDefined()
    expect(await userNamed('ada')).toMatchObject({
      first_name: 'Ada',
      last_name: 'L.',
      email: 'ada@example.com',
      role: 'admin',
      servers: null,
      has_password: false,
      last_login: expect.any(String),
    })
  })

  test('finds the same user by the subject, with the names and the role of now', async () => {
    const before = await userNamed('ada')
    provider.person = { ...ada, preferred_username: 'countess', family_name: 'Lovelace', groups: ['backup'] }
    await new Browser().get(start)
    expect(await userNamed('ada')).toMatchObject({ id: before?.id, last_name: 'Lovelace', role: 'operator' })
    expect(await userNamed('countess')).toBeUndefined()
  })

  test('does not lift the limit of a user to some servers', async () => {
    const id = (await userNamed('ada'))?.id ?? 0
    await api.run(Effect.flatMap(Users, (users) => users.update({ changes: [{ id, change: { servers: [7] } }] })))
    provider.person = ada
    await new Browser().get(start)
    expect(await userNamed('ada')).toMatchObject({ role: 'operator', servers: [7] })
  })

  test('never leads to another site', async () => {
    provider.person = ada
    const { url } = await new Browser().get(`${start}?next=https://evil.example/plugins/pbs/`)
    expect(url.startsWith(api.url)).toBe(true)
  })
})

describe('a sign-in is refused', () => {
  const refused = async (browser = new Browser()) => {
    const { status, text } = await browser.get(start)
    expect(browser.session).toBeUndefined()
    return [status, /<div[^>]*role="alert"[^>]*>(.*?)<\/div>/s.exec(text)?.[1]?.replace(/<[^>]+>/g, '') ?? text]
  }

  test('to a person without a group that has a role', async () => {
    provider.person = { ...ada, sub: 'b-1', preferred_username: 'bob', groups: ['visitors', '*'] }
    expect(await refused()).toEqual([403, expect.stringContaining('None of your groups has a role here.')])
    expect(await userNamed('bob')).toBeUndefined()
  })

  test.each([[undefined], [''], ['a'.repeat(151)], ['line\nbreak']])('to a person of the name %j', async (name) => {
    provider.person = { ...ada, sub: 'b-2', preferred_username: name }
    expect(await refused()).toEqual([403, expect.stringContaining('preferred_username')])
  })

  test('to a person with the name of another user, in any case', async () => {
    provider.person = { ...ada, sub: 'not-the-admin', preferred_username: 'Admin' }
    expect(await refused()).toEqual([403, expect.stringContaining('There is another user Admin here')])
  })

  test('to a user who is not active', async () => {
    const id = (await userNamed('ada'))?.id ?? 0
    const active = (is_active: boolean) =>
      api.run(Effect.flatMap(Users, (users) => users.update({ changes: [{ id, change: { is_active } }] })))
    await active(false)
    provider.person = ada
    expect(await refused()).toEqual([403, expect.stringContaining('The user ada is not active here.')])
    await active(true)
  })

  test('when the person declines', async () => {
    provider.person = null
    expect(await refused()).toEqual([403, expect.stringContaining('The sign-in service refused: access_denied.')])
  })

  test('in a browser that has not begun it', async () => {
    const { status, text } = await new Browser().get(`${start}callback/?code=x&state=y`)
    expect([status, text]).toEqual([403, expect.stringContaining('was begun in another browser')])
  })

  test('with the state of another sign-in', async () => {
    provider.person = ada
    const browser = new Browser()
    const begun = await fetch(new URL(start, api.url), { redirect: 'manual' })
    const [cookie = ''] = begun.headers.getSetCookie()
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    browser.cookies.set(`${new URL(api.url).host} ${name}`, value)
    const { status, text } = await browser.get(`${start}callback/?code=stolen&state=other`)
    expect([status, text]).toEqual([502, expect.stringContaining('did not answer as it should')])
    expect(browser.session).toBeUndefined()
  })

  test('while the provider is broken, and works when it answers again', async () => {
    provider.person = ada
    const browser = new Browser()
    const begun = await fetch(new URL(start, api.url), { redirect: 'manual' })
    const [cookie = ''] = begun.headers.getSetCookie()
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    browser.cookies.set(`${new URL(api.url).host} ${name}`, value)
    const kept: { state: string } = JSON.parse(decodeURIComponent(value))
    provider.broken = true
    const back = `${start}callback/?code=x&state=${kept.state}&iss=${encodeURIComponent(provider.issuer)}`
    expect((await browser.get(back)).status).toBe(502)
    expect(logged.join('\n')).toContain('the sign-in service failed')
    expect(logged.join('\n')).not.toContain(provider.clientSecret)
    provider.broken = false
    expect((await new Browser().get(start)).status).toBe(200)
  })
})

test('cookies of a sign-in are for its own path, and no script reads them', async () => {
  const begun = await fetch(new URL(start, api.url), { redirect: 'manual' })
  const [cookie = ''] = begun.headers.getSetCookie()
  expect(cookie).toMatch(/Max-Age=600; Path=\/plugins\/pbs\/login\/openid\/; HttpOnly; SameSite=Lax/)
  const to = new URL(begun.headers.get('location') ?? '')
  expect(to.origin).toBe(provider.issuer)
  expect(to.searchParams.get('code_challenge_method')).toBe('S256')
})

test('two sign-ins of a new person at once make one user', async () => {
  const person = {
    identity: { issuer: 'https://id.example.com', subject: 'twice' },
    username: 'eve',
    first_name: '',
    last_name: '',
    email: '',
    role: 'viewer',
    requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001',
  } as const
  const signIn = Effect.flatMap(Identities, (identities) => identities.signIn(person))
  const both = await api.run(Effect.all([signIn, signIn], { concurrency: 'unbounded' }))
  expect(both[0].id).toBe(both[1].id)
})

test('without a provider there is no button and no way', async () => {
  const without = await startTestApi(fakeGateway().layer)
  try {
    expect(await (await fetch(new URL('/plugins/pbs/login/', without.url))).text()).not.toContain('openid')
    const { status } = await fetch(new URL(start, without.url))
    expect(status).toBe(404)
  } finally {
    await without.stop()
  }
})
