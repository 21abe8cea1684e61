import { neverContacted } from '@netbox-pbs/core'
import { ServerObservations } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

const pinned = Array(32).fill('11').join(':')
const presented = Array(32).fill('ab').join(':')
const gateway = fakeGateway()

let site: Site
let writer: Visitor
let reader: Visitor
let page: string

beforeAll(async () => {
  site = await startSite(gateway.layer)
  writer = await new Visitor(site.url).signIn(tokens.writer)
  reader = await new Visitor(site.url).signIn(tokens.reader)
  const made = await writer.send('/plugins/pbs/servers/add/', {
    name: 'pbs-a',
    host: 'pbs-a.example',
    port: '8007',
    token_id: 'inventory@pbs!reader',
    token_secret: 'c0ffee00-1234-4abc-8def-000000000001',
    fingerprint: pinned.toUpperCase(),
    form_token: await writer.formToken(),
  })
  page = made.headers.get('location') ?? ''
})
afterAll(() => site.stop())

const id = () => Number(/(\d+)\/$/.exec(page)?.[1])
const found = (change: object) =>
  site.use(
    Effect.flatMap(ServerObservations, (observations) =>
      observations.record({ serverId: id(), health: { ...neverContacted, ...change } }),
    ),
  )
const changed = {
  status: 'unreachable',
  consecutive_failures: 2,
  last_error: 'it is <b>another</b>',
  tls_state: 'fingerprint_changed',
  presented_fingerprint: presented,
}

test('a server that is well has neither alert nor banner', async () => {
  await found({ status: 'reachable', tls_state: 'ok' })
  for (const path of ['/plugins/pbs/', page])
    expect((await reader.get(path)).text).not.toContain('The certificate changed')
})

test.each([
  [{ status: 'unreachable' }, 'status=unreachable', '1 server cannot be reached'],
  [
    { status: 'reachable', last_error_code: 'unauthorized' },
    'last_error_code=unauthorized',
    '1 server refuses its token',
  ],
  [{ status: 'reachable', last_error_code: 'forbidden' }, 'last_error_code=forbidden', '1 server hides its datastores'],
])('the overview leads to servers that fail: %j', async (health, filter, says) => {
  await found({ status: 'reachable' })
  expect((await reader.get('/plugins/pbs/')).text).not.toContain(says)
  await found(health)
  const { text } = await reader.get('/plugins/pbs/')
  expect(text).toContain(`href="/plugins/pbs/servers/?${filter}"`)
  expect(text).toContain(says)
  expect((await reader.get(`/plugins/pbs/servers/?${filter}`)).text).toContain(`href="${page}"`)
})

test.each([
  [null, null],
  [60, null],
  [61, '1 min 1 s ahead of'],
  [-7200, '2 h 0 min behind'],
])('a clock that is off by %s seconds', async (clock_offset_seconds, says) => {
  await found({ status: 'reachable', clock_offset_seconds })
  const { text } = await reader.get(page)
  if (says === null) expect(text).not.toContain('The clock of this server')
  else expect(text.replaceAll(/\s+/g, ' ')).toContain(`The clock of this server is ${says} that of the gateway.`)
})

test('a token that may do more than it needs is told with its cure, until a test finds it mended', async () => {
  const token_warning =
    "The token a@pbs!b has more privileges than an inventory needs: Sys.Modify on /. Run on the server: x '<y>'"
  await found({ status: 'reachable', token_warning })
  expect((await reader.get(page)).text).toContain(token_warning.replaceAll("'", '&#39;').replace('<y>', '&lt;y&gt;'))
  await found({ status: 'reachable', token_warning: '' })
  expect((await reader.get(page)).text).not.toContain('more privileges than an inventory needs')
})

test('the menu counts servers that cannot be reached, and says nothing of those that are well', async () => {
  await found({ status: 'unreachable' })
  expect((await reader.get('/plugins/pbs/snapshots/')).text).toMatch(/netbox-pbs-red ms-auto" title="unreachable">1</)
  await found({ status: 'reachable' })
  expect((await reader.get('/plugins/pbs/snapshots/')).text).not.toContain('title="unreachable"')
})

test('one that keeps failing says so, and why', async () => {
  await found({ status: 'reachable', consecutive_failures: 3, last_error: 'token "x" <b>' })
  const { text } = await reader.get('/plugins/pbs/servers/')
  expect(text).toContain('netbox-pbs-orange">Reachable</span> the last 3 runs failed: token &quot;x&quot; &lt;b&gt;')
})

test('a changed certificate is on the overview, the list and the server’s page, with both fingerprints', async () => {
  await found(changed)
  const overview = (await reader.get('/plugins/pbs/')).text
  expect(overview).toContain('The certificate changed')
  expect(overview).toContain(`href="${page}"`)
  expect((await reader.get('/plugins/pbs/servers/?tls_state=fingerprint_changed')).text).toContain(
    'Fingerprint changed',
  )
  const { text } = await reader.get(page)
  expect(text).toContain('role="alert"')
  expect(text).toContain(`<code>${pinned.toUpperCase()}</code>`)
  expect(text).toContain(`<code>${presented}</code>`)
  expect(text).not.toContain('<b>another')
  expect(text).not.toContain('Pin the presented certificate')
})

test('only a writer’s form pins it, a fingerprint only, and then the alert is gone', async () => {
  await found(changed)
  const pin = `${page}pin/`
  expect((await reader.send(pin, { fingerprint: presented, form_token: await reader.formToken() })).status).toBe(403)
  const form_token = await writer.formToken()
  expect((await writer.send(pin, { fingerprint: presented })).status).toBe(403)
  const elsewhere = await writer.send('/plugins/pbs/servers/999999/pin/', { fingerprint: presented, form_token })
  expect(elsewhere.status).toBe(404)
  gateway.down = true
  const rejected = await writer.send(pin, { fingerprint: presented, form_token })
  gateway.down = false
  expect([rejected.status, rejected.text.includes('The certificate was not accepted')]).toEqual([400, true])
  expect([...gateway.endpoints.values()].map(({ fingerprint }) => fingerprint)).toEqual([pinned.toUpperCase()])

  expect((await writer.get(page)).text).toContain('Pin the presented certificate')
  expect((await writer.send(pin, { fingerprint: presented, form_token })).status).toBe(303)
  expect([...gateway.endpoints.values()].map(({ fingerprint }) => fingerprint)).toEqual([presented])
  for (const path of ['/plugins/pbs/', page])
    expect((await writer.get(path)).text).not.toContain('The certificate changed')
})

test('a certificate that does not verify is pinned by the same button, and the server is well at once', async () => {
  const made = await writer.send('/plugins/pbs/servers/add/', {
    name: 'pbs-b',
    host: 'pbs-b.example',
    port: '8007',
    token_id: 'inventory@pbs!reader',
    token_secret: 'c0ffee00-1234-4abc-8def-000000000001',
    fingerprint: '',
    intent: 'untested',
    verify_ssl: 'true',
    form_token: await writer.formToken(),
  })
  page = made.headers.get('location') ?? ''
  await found({ ...changed, tls_state: 'untrusted' })
  const { text } = await writer.get(page)
  expect(text).toContain('The certificate does not verify')
  expect(text).toContain(`<code>${presented}</code>`)
  expect(text).toContain('Pin the presented certificate')
  const form_token = await writer.formToken()
  expect((await writer.send(`${page}pin/`, { fingerprint: presented, form_token })).status).toBe(303)
  const well = (await writer.get(page)).text
  expect(well).not.toContain('The certificate does not verify')
  expect(well).toMatch(/Status<\/th>.*?>Reachable</s)
  expect(well).toMatch(/TLS state<\/th>.*?>OK</s)
})

test('the same certificate pinned for another server is told on both pages, and for no other', async () => {
  const about = 'its backups are read and counted twice'
  const add = async (name: string, fingerprint: string) => {
    const form_token = await writer.formToken()
    const more = { token_id: 'inventory@pbs!reader', token_secret: 'c0ffee00-1234-4abc-8def-000000000002' }
    const fields = { name, host: `${name}.example`, port: '8007', fingerprint, form_token, ...more }
    return (await writer.send('/plugins/pbs/servers/add/', fields)).headers.get('location') ?? ''
  }
  const pin = Array(32).fill('33').join(':')
  const one = await add('pbs-one', pin)
  expect((await reader.get(one)).text).not.toContain(about)
  const twin = await add('pbs-twin', pin)
  const other = await add('pbs-other', Array(32).fill('22').join(':'))
  const said = (await reader.get(one)).text.replaceAll(/\s+/g, ' ')
  expect(said).toContain(`The same certificate is pinned for <a class="alert-link" href="${twin}">pbs-twin</a>.`)
  expect((await reader.get(twin)).text).toContain(`href="${one}">pbs-one</a>`)
  expect((await reader.get(other)).text).not.toContain(about)
})

test('a pin that no certificate has ever matched is told as such, and not as a change', async () => {
  const made = await writer.send('/plugins/pbs/servers/add/', {
    name: 'pbs-never',
    host: 'pbs-never.example',
    port: '8007',
    token_id: 'inventory@pbs!reader',
    token_secret: 'c0ffee00-1234-4abc-8def-000000000001',
    fingerprint: pinned,
    intent: 'untested',
    form_token: await writer.formToken(),
  })
  page = made.headers.get('location') ?? ''
  await found(changed)
  const { text } = await reader.get(page)
  expect(text).toContain('The fingerprint you entered is not the one that the server presents')
  expect(text).not.toContain('The certificate changed')
  await found({ ...changed, last_seen_at: '2026-05-01T02:00:00Z' })
  expect((await reader.get(page)).text).toContain('The certificate changed')
})
