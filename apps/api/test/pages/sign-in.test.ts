import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { rawRequest } from '../support/raw-request.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

let site: Site
beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
})
afterAll(() => site.stop())

const visitor = () => new Visitor(site.url)
const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; form-action 'self'; base-uri 'none'"

describe('signing in', () => {
  test('an anonymous visitor is sent to sign in and then back', async () => {
    const someone = visitor()
    const requested = await someone.get('/plugins/pbs/snapshots/?q=a')
    expect([requested.status, requested.headers.get('location')]).toEqual([
      303,
      '/plugins/pbs/login/?next=%2Fplugins%2Fpbs%2Fsnapshots%2F%3Fq%3Da',
    ])
    const form = await someone.get(requested.headers.get('location') ?? '')
    expect(form.text).toContain('name="next" value="/plugins/pbs/snapshots/?q=a"')
    const signedIn = await someone.send('/plugins/pbs/login/', {
      token: tokens.writer,
      next: '/plugins/pbs/snapshots/?q=a',
    })
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/plugins/pbs/snapshots/?q=a'])
    expect((await someone.get('/plugins/pbs/snapshots/?q=a')).status).toBe(200)
  })

  test('a part of a page asked for by a script makes the whole page load again', async () => {
    const requested = await visitor().get('/plugins/pbs/snapshots/', { 'HX-Request': 'true' })
    expect([requested.status, requested.headers.get('hx-refresh'), requested.text]).toEqual([204, 'true', ''])
  })

  test.each([
    ['a wrong secret', `nbt_pagestoken01.${'x'.repeat(40)}`],
    ['an unknown token', `nbt_unknown00000.${'x'.repeat(40)}`],
    ['an expired token', tokens.expired],
    ['no token', ''],
    ['a line of prose', 'let me in'],
    ['a token whose key is no text', `nbt_\0.${'x'.repeat(40)}`],
    ['a token without key', `nbt_.${'x'.repeat(40)}`],
    ['a token named like what every object has', `nbt_constructor.${'x'.repeat(40)}`],
  ])('%s is a 403 with a sentence, no session, and is not shown again', async (_, token) => {
    const someone = visitor()
    const answer = await someone.send('/plugins/pbs/login/', { token })
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('This token is unknown, disabled or expired.')
    expect(token === '' || !answer.text.includes(token)).toBe(true)
    expect(someone.cookie).toBeNull()
  })

  test.each(['https://evil.example/', '//evil.example/plugins/pbs/', '/api/', '/plugins/pbs/../../api/'])(
    'next=%s leads to the overview only',
    async (next) => {
      const answer = await visitor().send('/plugins/pbs/login/', { token: tokens.writer, next })
      expect(answer.headers.get('location')).toBe('/plugins/pbs/')
    },
  )

  test('the cookie is for pages only, hidden from scripts, and not the id that is stored', async () => {
    const answer = await visitor().send('/plugins/pbs/login/', { token: tokens.writer })
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^netbox_pbs_session=[\w-]{43}; Max-Age=43200; Path=\/plugins\/pbs; HttpOnly; SameSite=Lax$/,
      ),
    ])
  })

  test('behind a proxy that speaks TLS the cookie is secure, and the origin is the one the browser knows', async () => {
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'localhost' }
    const answer = await visitor().send(
      '/plugins/pbs/login/',
      { token: tokens.writer },
      { origin: 'https://localhost', headers },
    )
    expect(answer.status).toBe(303)
    expect(answer.headers.getSetCookie().join()).toContain('; Secure;')
  })

  test.each([
    ['another site', 'https://evil.example'],
    ['a page without origin', 'null'],
    ['a client without the header', null],
  ])('a sign-in sent by %s is refused', async (_, origin) => {
    const someone = visitor()
    expect((await someone.send('/plugins/pbs/login/', { token: tokens.writer }, { origin })).status).toBe(403)
    expect(someone.cookie).toBeNull()
  })

  describe.each([
    ['with a length', false],
    ['in chunks', true],
  ])('by a form that comes %s', (_, chunked) => {
    const send = (body: string) =>
      rawRequest(site.url, {
        method: 'POST',
        target: '/plugins/pbs/login/',
        headers: { Origin: site.url, 'Content-Type': 'application/x-www-form-urlencoded' },
        body,
        chunked,
      })

    test('leads to the page asked for, with a session', async () => {
      const { status, head } = await send(`token=${tokens.writer}&next=%2Fplugins%2Fpbs%2Fservers%2F`)
      expect([status, /^location: (.*)\r$/im.exec(head)?.[1]]).toEqual([303, '/plugins/pbs/servers/'])
      const cookie = /^set-cookie: ([^;]+)/im.exec(head)?.[1] ?? ''
      const page = await fetch(`${site.url}/plugins/pbs/servers/`, { redirect: 'manual', headers: { Cookie: cookie } })
      expect(page.status).toBe(200)
    })

    test('is a 403 with a sentence when the token is unknown', async () => {
      const { status, text } = await send('token=let+me+in')
      expect([status, text.includes('This token is unknown, disabled or expired.')]).toEqual([403, true])
    })

    test.each([
      [64 * 1024, 403],
      [64 * 1024 + 1, 413],
      [128 * 1024, 413],
    ])('of %i bytes is answered %i', async (bytes, expected) => {
      const { status, text } = await send('token='.padEnd(bytes, 'a'))
      expect([status, /^set-cookie:/im.test(text)]).toEqual([expected, false])
    })
  })

  test('a session is no token: REST does not know it', async () => {
    const someone = await visitor().signIn(tokens.writer)
    expect((await someone.get('/api/plugins/pbs/servers/')).status).toBe(403)
  })
})

describe('the one-time link', () => {
  test('shows a button, whose form signs in once; opening it does not use it up', async () => {
    const path = await site.link()
    expect((await visitor().head(path)).status).toBe(200)
    const preview = visitor()
    expect([(await preview.get(path)).status, preview.cookie]).toEqual([200, null])
    const first = visitor()
    const shown = await first.get(path)
    expect(shown.text).toContain(`<form class="card card-md" method="post" action="${path}">`)
    const opened = await first.send(path, {})
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/plugins/pbs/'])
    expect((await first.get('/plugins/pbs/')).text).toContain('Sync')
    const second = visitor()
    const again = await second.send(path, {})
    expect([again.status, second.cookie]).toEqual([403, null])
    expect(again.text).toContain('This link was used before or has expired.')
  })

  test('of two that use it at once one is in', async () => {
    const path = await site.link()
    const answers = await Promise.all([visitor().send(path, {}), visitor().send(path, {})])
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 403])
  })

  test('a form of another site does not use it up', async () => {
    const path = await site.link()
    const forged = visitor()
    const refused = await forged.send(path, {}, { origin: 'https://evil.example' })
    expect([refused.status, forged.cookie]).toEqual([403, null])
    expect((await visitor().send(path, {})).status).toBe(303)
  })
})

describe('signing out', () => {
  test('ends the session, not only its cookie', async () => {
    const someone = await visitor().signIn(tokens.writer)
    const { cookie } = someone
    const out = await someone.send('/plugins/pbs/logout/', { form_token: await someone.formToken() })
    expect([out.status, out.headers.get('location'), someone.cookie]).toEqual([303, '/plugins/pbs/login/', null])
    const replayed = await fetch(`${site.url}/plugins/pbs/`, { redirect: 'manual', headers: { Cookie: cookie ?? '' } })
    expect(replayed.status).toBe(303)
  })

  test('a new sign-in ends the session it takes the place of', async () => {
    const someone = await visitor().signIn(tokens.writer)
    const { cookie } = someone
    await someone.signIn(tokens.reader)
    const replayed = await fetch(`${site.url}/plugins/pbs/`, { redirect: 'manual', headers: { Cookie: cookie ?? '' } })
    expect([replayed.status, someone.cookie === cookie]).toEqual([303, false])
  })
})

describe('every page', () => {
  test('has the policy, is not kept by caches, and carries nothing inline', async () => {
    const someone = await visitor().signIn(tokens.writer)
    for (const path of ['', 'servers/', 'servers/add/', 'snapshots/', 'sync-runs/', 'nothing/']) {
      const { headers, text } = await someone.get(`/plugins/pbs/${path}`)
      expect([headers.get('content-security-policy'), headers.get('cache-control')]).toEqual([policy, 'no-store'])
      expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=")/)
    }
  })

  test('its style and script may be kept as long as their address stays', async () => {
    const page = await visitor().get('/plugins/pbs/login/')
    const files = [...page.text.matchAll(/(?:href|src)="(\/plugins\/pbs\/static\/[^"]+)"/g)].map(
      ([, path]) => path ?? '',
    )
    expect(files).toHaveLength(4)
    for (const path of files) {
      const { status, headers, text } = await visitor().get(path)
      expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
      expect(text.length).toBeGreaterThan(100)
      expect((await visitor().get(path, { 'If-None-Match': headers.get('etag') ?? '' })).status).toBe(304)
    }
    expect((await visitor().get('/plugins/pbs/static/..%2fassets.ts')).status).toBe(404)
  })

  test.each(['/plugins/pbs/nothing/', '/plugins/pbs/static/nothing.js', '/plugins/pbs/servers/x/'])(
    '%s is a 404 page',
    async (path) => {
      const { status, headers, text } = await visitor().get(path)
      expect([status, headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(text).toContain('does not exist')
    },
  )

  test('is led to its slash', async () => {
    const { status, headers } = await visitor().get('/plugins/pbs/snapshots?q=a')
    expect([status, headers.get('location')]).toEqual([301, '/plugins/pbs/snapshots/?q=a'])
  })

  test('when the database fails it is a page with a sentence', async () => {
    const someone = await visitor().signIn(tokens.writer)
    site.breakSessions(true)
    const { status, headers, text } = await someone.get('/plugins/pbs/snapshots/')
    site.breakSessions(false)
    expect([status, headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8'])
    expect(text).toContain('Reading a session: the database does not answer; check that it runs and try again.')
  })
})
