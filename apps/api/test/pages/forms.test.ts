import { ApiTokens, InventoryLists, Runs } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

const gateway = fakeGateway()
let site: Site
let writer: Visitor
let form_token: string

beforeAll(async () => {
  site = await startSite(gateway.layer)
  writer = await new Visitor(site.url).signIn(tokens.writer)
  form_token = await writer.formToken()
})
beforeEach(() => {
  gateway.down = false
})
afterAll(() => site.stop())

const add = '/plugins/pbs/servers/add/'
const runs = '/plugins/pbs/sync-runs/'
const secret = 'c0ffee00-1234-4abc-8def-000000000001'
const server = {
  name: 'pbs-a',
  host: 'pbs-a.example',
  port: '8007',
  token_id: 'inventory@pbs!reader',
  token_secret: secret,
  verify_ssl: 'true',
}

const countRuns = () =>
  site.use(Effect.flatMap(Runs, (all) => all.list({ limit: 1, offset: 0 }))).then(({ count }) => count)
const serverIds = (...names: ReadonlyArray<string>) =>
  site.use(Effect.flatMap(InventoryLists, (lists) => lists.serverIds({ names })))

describe('adding a server', () => {
  test('makes the row, connects it and leads to its page; the secret is nowhere on it', async () => {
    const made = await writer.send(add, { ...server, form_token })
    expect(made.status).toBe(303)
    const page = await writer.get(made.headers.get('location') ?? '')
    expect(page.status).toBe(200)
    expect(page.text).toContain('pbs-a.example')
    expect(page.text).toContain('Credentials stored')
    expect(page.text).not.toContain(secret)
    expect([...gateway.endpoints.values()].map(({ name }) => name)).toEqual(['pbs-a'])
  })

  test('without a secret it is asked about, and inventory only when that is wanted', async () => {
    const paper = { ...server, name: 'pbs-paper', token_secret: '', form_token }
    const requested = await writer.send(add, paper)
    expect(requested.status).toBe(400)
    expect(requested.text).toMatch(/id="token_secret-error">[^<]*add the server as inventory only/)
    expect(requested.text).toContain('name="intent" value="inventory-only"')
    expect((await serverIds('pbs-paper')).size).toBe(0)
    const made = await writer.send(add, { ...paper, intent: 'inventory-only' })
    expect((await writer.get(made.headers.get('location') ?? '')).text).toContain('Inventory only')
  })

  test('what is wrong stands under its field, what was typed stays, the secret does not', async () => {
    const answer = await writer.send(add, {
      ...server,
      name: '"x" <b>',
      host: 'https://pbs',
      port: '99999',
      form_token,
    })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('id="host-error">This field must be a host name or an address')
    expect(answer.text).toContain('id="port-error">Ensure this value is less than or equal to 65535.')
    expect(answer.text).toContain('value="&quot;x&quot; &lt;b&gt;"')
    expect(answer.text).toContain('value="https://pbs"')
    expect(answer.text).not.toContain(secret)
    expect((await serverIds('"x" <b>')).size).toBe(0)
  })

  test('a secret that was typed is kept over a mistake elsewhere, sealed and in its session', async () => {
    const name = 'pbs-kept'
    const mistake = await writer.send(add, { ...server, name, fingerprint: 'aa:bb', form_token })
    expect([mistake.status, mistake.text.includes(secret)]).toEqual([400, false])
    const kept_secret = /name="kept_secret" value="([^"]+)"/.exec(mistake.text)?.[1] ?? ''
    expect(kept_secret).not.toBe('')
    const mended = { ...server, name, token_secret: '', kept_secret }

    const other = await new Visitor(site.url).signIn(tokens.writer)
    const foreign = await other.send(add, { ...mended, form_token: await other.formToken() })
    expect([foreign.status, foreign.text.includes('Enter the secret of the token')]).toEqual([400, true])
    expect((await serverIds(name)).size).toBe(0)

    expect((await writer.send(add, { ...mended, form_token })).status).toBe(303)
    const stored = [...gateway.endpoints.values()].find((endpoint) => endpoint.name === name)
    expect(stored && Redacted.value(stored.token_secret)).toBe(secret)
  })

  describe('tries the connection first', () => {
    const presented = Array(32).fill('ab').join(':')
    const untrusted = {
      code: 'tls_untrusted',
      reachable: false,
      error: 'it does <b>not</b> verify',
      presented_fingerprint: presented,
    } as const
    afterEach(() => {
      gateway.found = {}
    })
    const keptIn = (text: string) => /name="kept_secret" value="([^"]+)"/.exec(text)?.[1] ?? ''

    test('one that does not work is not stored; its words, its certificate and the ways on are shown', async () => {
      gateway.found = untrusted
      const name = 'pbs-untrusted'
      const tried = await writer.send(add, { ...server, name, form_token })
      expect([tried.status, (await serverIds(name)).size]).toEqual([400, 0])
      expect(tried.text).toContain('id="fingerprint-error">it does &lt;b&gt;not&lt;/b&gt; verify')
      expect(tried.text).toContain(`<code>${presented}</code>`)
      expect(tried.text).not.toContain(secret)
      // Enter sends the form as it is, not one of the other ways.
      expect(
        /<button[^>]*type="submit"[^>]*>/.exec(tried.text.slice(tried.text.indexOf('card-footer')))?.[0],
      ).not.toContain('intent')

      const again = { ...server, name, token_secret: '', kept_secret: keptIn(tried.text), form_token }
      expect((await writer.send(add, { ...again, intent: 'untested' })).status).toBe(303)
      expect((await serverIds(name)).size).toBe(1)
    })

    test('the presented certificate is pinned by its button', async () => {
      gateway.found = untrusted
      const name = 'pbs-pinned'
      const tried = await writer.send(add, { ...server, name, form_token })
      expect(tried.text).toContain(`name="intent" value="pin:${presented}"`)
      gateway.found = { presented_fingerprint: presented }
      const again = { ...server, name, token_secret: '', kept_secret: keptIn(tried.text), form_token }
      expect((await writer.send(add, { ...again, intent: `pin:${presented}` })).status).toBe(303)
      const stored = [...gateway.endpoints.values()].find((endpoint) => endpoint.name === name)
      expect(stored?.fingerprint).toBe(presented)
    })

    test('a token without rights is refused, one without some is added; both with the commands', async () => {
      const acl_commands = ["proxmox-backup-manager acl update / Audit --auth-id 'a@pbs!b'"]
      const commands = acl_commands[0]?.replaceAll("'", '&#39;') ?? ''
      gateway.found = { code: 'forbidden', error: 'it lists nothing', acl_commands }
      const none = await writer.send(add, { ...server, name: 'pbs-none', form_token })
      expect([none.status, none.text.includes(commands)]).toEqual([400, true])
      gateway.found = { missing_privileges: ['Tape.Audit on /tape'], acl_commands }
      const some = await writer.send(add, { ...server, name: 'pbs-some', form_token })
      expect([some.status, some.text.includes(commands), some.text.includes('pbs-some was added')]).toEqual([
        200,
        true,
        true,
      ])
    })
  })

  test('the error of a taken name is shown under the name', async () => {
    await writer.send(add, { ...server, name: 'pbs-twice', token_secret: '', intent: 'inventory-only', form_token })
    const answer = await writer.send(add, { ...server, name: 'pbs-twice', form_token })
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/id="name-error">[^<]*already exists/)
  })

  test('what the gateway refuses stands under its field', async () => {
    const answer = await writer.send(add, { ...server, name: 'pbs-refused', token_secret: 'wrong', form_token })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('id="token_secret-error">The server refused it.')
  })

  test('a gateway that is down is named, and nothing typed is lost', async () => {
    gateway.down = true
    const answer = await writer.send(add, { ...server, name: 'pbs-later', form_token })
    expect(answer.status).toBe(502)
    expect(answer.text).toMatch(/role="alert">[^<]*the gateway does not answer/)
    expect(answer.text).toContain('value="pbs-later"')
    expect((await serverIds('pbs-later')).size).toBe(0)
  })

  test('an unticked box is off', async () => {
    const { verify_ssl: _, ...unticked } = server
    const made = await writer.send(add, { ...unticked, name: 'pbs-off', form_token })
    expect((await writer.get(made.headers.get('location') ?? '')).text).toMatch(/Verify SSL<\/th>.*?>No</)
  })
})

describe('the timing of a server', () => {
  test('is taken from the form, and shown on its page', async () => {
    const timing = { sync_schedule: '30 2 * * *', sync_interval_minutes: '15' }
    const made = await writer.send(add, { ...server, ...timing, name: 'pbs-nightly', form_token })
    const page = await writer.get(made.headers.get('location') ?? '')
    expect(page.text).toMatch(/Sync schedule<\/th>.*?30 2 \* \* \*/s)
    expect(page.text).toMatch(/Sync interval \(minutes\)<\/th>.*?15/s)
  })

  test('that is none is refused under its field', async () => {
    const timing = { sync_schedule: 'every night', sync_interval_minutes: '' }
    const answer = await writer.send(add, { ...server, ...timing, name: 'pbs-never', form_token })
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/id="sync_schedule-error"[^>]*>\s*Enter a cron expression/)
    expect(answer.text).not.toContain('sync_interval_minutes-error')
  })
})

describe('cancelling a run', () => {
  test('is a button on its page until it has ended', async () => {
    const started = await writer.send(runs, { form_token })
    const path = started.headers.get('location') ?? ''
    expect((await writer.get(path)).text).toContain(`action="${path}cancel/"`)
    const cancelled = await writer.send(`${path}cancel/`, { form_token })
    expect([cancelled.status, cancelled.headers.get('location')]).toEqual([303, path])
    const page = await writer.get(path)
    expect(page.text).toContain('cancelled')
    expect(page.text).not.toContain('Cancel this run')
    expect((await writer.send(`${path}cancel/`, { form_token })).status).toBe(303)
    expect((await writer.send(`${runs}999999/cancel/`, { form_token })).status).toBe(404)
  })
})

describe('the page of a run', () => {
  test('names the jobs that failed, with their words and without their markup', async () => {
    const serverId = (await serverIds('pbs-a')).get('pbs-a') ?? 0
    const id = await site.use(
      Effect.flatMap(Runs, (all) =>
        Effect.gen(function* () {
          const { id } = yield* all.create({ resources: ['jobs'], servers: null, trigger: 'manual', user: 'ada' })
          yield* all.startJob({ id, serverId })
          yield* all.retryJob({ id, serverId, reason: 'the <gateway> is away' })
          return id
        }),
      ),
    )
    const page = await writer.get(`${runs}${id}/`)
    expect(page.text).toContain('Failed jobs')
    expect(page.text).toContain('the &lt;gateway&gt; is away')
    expect(page.text).toContain('retrying')
  })
})

describe('starting a sync', () => {
  test('records a run of everything and leads to its page, which follows it', async () => {
    const started = await writer.send(runs, { form_token })
    expect(started.status).toBe(303)
    const page = await writer.get(started.headers.get('location') ?? '')
    expect(page.text).toContain('pending')
    expect(page.text).toContain('hx-trigger="every 1s"')
    expect(page.text).toContain('<noscript><meta http-equiv="refresh" content="3"/></noscript>')
  })

  test('of one server covers that server', async () => {
    const started = await writer.send(runs, { server: 'pbs-a', form_token })
    const id = Number(/(\d+)\/$/.exec(started.headers.get('location') ?? '')?.[1])
    const run = await site.use(Effect.flatMap(Runs, (all) => Effect.flatten(all.get({ id }))))
    expect([run.servers, run.user]).toEqual([['pbs-a'], 'admin'])
  })

  test('of a server that is gone says so', async () => {
    const answer = await writer.send(runs, { server: 'unknown', form_token })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('There is no server unknown to sync.')
  })
})

describe('a form is only taken from a page of its session', () => {
  test.each([
    ['another site', { form_token: true, origin: 'https://evil.example' }],
    ['another port of this host', { form_token: true, origin: 'http://127.0.0.1:1' }],
    ['no origin', { form_token: true, origin: null }],
    ['no form token', { form_token: false, origin: undefined }],
  ])('%s: 403 and nothing happens', async (_, given) => {
    const before = await countRuns()
    const fields = given.form_token ? { form_token } : { form_token: 'x'.repeat(64) }
    const answer = await writer.send(runs, fields, given.origin === undefined ? {} : { origin: given.origin })
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('This form was not accepted')
    expect(await countRuns()).toBe(before)
  })

  test('the form token of another session is none', async () => {
    const other = await new Visitor(site.url).signIn(tokens.writer)
    expect((await other.send(runs, { form_token })).status).toBe(403)
  })

  test('a browser without Origin may say where the form comes from', async () => {
    const sent = await writer.send(runs, { form_token }, { origin: null, headers: { 'Sec-Fetch-Site': 'same-origin' } })
    expect(sent.status).toBe(303)
  })

  test('an anonymous form is sent to sign in', async () => {
    const answer = await new Visitor(site.url).send(runs, { form_token })
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      '/plugins/pbs/login/?next=%2Fplugins%2Fpbs%2Fsync-runs%2F',
    ])
  })

  test('a form beyond any size of ours is refused', async () => {
    const answer = await writer.send(runs, { form_token, name: 'x'.repeat(70_000) })
    expect(answer.status).toBe(413)
    expect(answer.text).toContain('A form may have 64 KiB at most.')
  })
})

describe('a read-only token', () => {
  test('sees no control that writes, and may not write', async () => {
    const reader = await new Visitor(site.url).signIn(tokens.reader)
    for (const path of ['', 'servers/', 'servers/1/', 'sync-runs/']) {
      const { status, text } = await reader.get(`/plugins/pbs/${path}`)
      expect(status).toBe(200)
      expect(
        [...text.matchAll(/action="([^"]+)"/g)]
          .map(([, action]) => action)
          .filter((action) => /add|sync-runs/.test(action ?? '')),
      ).toEqual([])
      expect(text).not.toContain(add)
    }
    const own = await reader.formToken()
    const before = await countRuns()
    expect((await reader.send(runs, { form_token: own })).status).toBe(403)
    expect((await reader.send(add, { ...server, name: 'pbs-never', form_token: own })).status).toBe(403)
    expect((await reader.get(add)).status).toBe(403)
    expect([await countRuns(), (await serverIds('pbs-never')).size]).toEqual([before, 0])
  })

  test('a session ends with its token', async () => {
    const expires = new Date(Date.now() + 60_000).toISOString()
    await site.use(
      Effect.gen(function* () {
        const all = yield* ApiTokens
        const known = yield* Effect.flatten(all.find({ key: 'pagestoken01' }))
        yield* all.create({ ...known, key: 'pagestoken04', username: 'admin', expires })
      }),
    )
    const answer = await new Visitor(site.url).send('/plugins/pbs/login/', {
      token: `nbt_pagestoken04.${'w'.repeat(40)}`,
    })
    const seconds = Number(/Max-Age=(\d+)/.exec(answer.headers.getSetCookie().join())?.[1])
    expect(seconds).toBeGreaterThan(30)
    expect(seconds).toBeLessThanOrEqual(60)
  })
})
