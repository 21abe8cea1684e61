import { nextHealth } from '@netbox-pbs/core'
import { Findings, ServerObservations } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Site, startSite, tokens } from './pages/site.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { asker, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
const list = `${root}/findings/`
const start = Date.parse('2026-06-01T12:00:00Z') / 1000

let site: Site
let ask: TestApi['ask']
let now = start

/** A server whose last contact failed with a code. */
async function broken(name: string, code: string): Promise<number> {
  const { json } = await ask('POST', `${root}/servers/`, { body: { name, host: '192.0.2.1', token_id: 'a@pbs!b' } })
  const contact = { _tag: 'failed', code, message: '<b>no route</b>', presentedFingerprint: null } as const
  const at = new Date(now * 1000).toISOString()
  const health = nextHealth(null, { at, runId: 1, checked: true, ...contact })
  await site.use(Effect.flatMap(ServerObservations, (all) => all.record({ serverId: json.id, health })))
  return json.id
}
const evaluate = () => {
  now += 60
  const due = { now, every: 60, latest: now + 300, afterRuns: false, byWorker: true }
  return site.use(Effect.flatMap(Findings, (findings) => findings.evaluate(due)))
}
const listed = async (query: string): Promise<ReadonlyArray<string>> => {
  const { status, json } = await ask('GET', `${list}?${query}`)
  expect(status).toBe(200)
  return json.results.map(({ display }: { display: string }) => display)
}

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  ask = asker(site.url, tokens.writer)
  await broken('pbs-a', 'unreachable')
  await broken('pbs-b', 'unauthorized')
  await evaluate()
})
afterAll(() => site.stop())

describe('findings', () => {
  const unreachable = 'Server unreachable: pbs-a'
  const refused = 'Server refuses the token: pbs-b'

  test('are listed with what mends them, each at its own address', async () => {
    const { json } = await ask('GET', list)
    expect(json).toMatchObject({ count: 2, next: null, previous: null })
    const [finding] = json.results
    expect(finding).toEqual({
      ...{ id: expect.any(Number), url: `${site.url}${list}${finding.id}/`, display: unreachable },
      kind: { value: 'server_unreachable', label: 'Server unreachable' },
      severity: { value: 'critical', label: 'Critical' },
      state: { value: 'open', label: 'Open' },
      server: {
        id: finding.object_id,
        url: `${site.url}${root}/servers/${finding.object_id}/`,
        display: 'pbs-a',
        name: 'pbs-a',
      },
      ...{ object_type: 'netbox_pbs.pbsserver', object_id: expect.any(Number) },
      object: { id: finding.object_id, url: `${site.url}${root}/servers/${finding.object_id}/`, display: 'pbs-a' },
      ...{ parent: null, since: '2026-06-01T12:00:00Z', count: 1 },
      sentence: 'pbs-a cannot be reached: <b>no route</b>',
      step: expect.stringContaining('192.0.2.1'),
      ...{ opened: '2026-06-01T12:01:00Z', last_seen: '2026-06-01T12:01:00Z', closed: null, closed_by: '' },
      ...{ snoozed_until: null, snooze_reason: '', snoozed_by: '', snoozed_at: null },
    })
    expect((await ask('GET', `${list}${finding.id}/`)).json).toEqual(finding)
    expect((await ask('GET', `${list}999999/`)).status).toBe(404)
  })

  test.each([
    ['state=open', [unreachable, refused]],
    ['state=closed', []],
    ['kind=server_refused', [refused]],
    ['severity=critical&kind__n=server_refused', [unreachable]],
    ['server=pbs-b', [refused]],
    ['server=nope', null],
    ['title__ic=PBS-A', [unreachable]],
    ['since__gt=2026-06-01T12:00:00Z', []],
    ['q=no route', [unreachable, refused]],
    ['q=pbs-b', [refused]],
    ['ordering=-server', [refused, unreachable]],
    ['ordering=severity,-id', [refused, unreachable]],
    ['limit=1&offset=1', [refused]],
  ])('are filtered by %s', async (query, expected) => {
    if (expected === null) expect((await ask('GET', `${list}?${query}`)).status).toBe(400)
    else expect(await listed(query)).toEqual(expected)
  })

  test('are exported as CSV', async () => {
    const { text } = await ask('GET', `${list}?export=csv&fields=id,kind,sentence`)
    expect(text.split('\r\n').slice(0, 2)).toEqual([
      'id,kind,sentence',
      expect.stringMatching(/^\d+,server_unreachable,pbs-a cannot be reached: <b>no route<\/b>$/),
    ])
  })

  test('are snoozed by an operator until a time to come, with a reason', async () => {
    const { json } = await ask('GET', `${list}?server=pbs-a`)
    const path = `${list}${json.results[0].id}/`
    const patch = (body: object, token = tokens.writer) => asker(site.url, token)('PATCH', path, { body })
    expect((await patch({ snoozed_until: '2000-01-01T00:00:00Z', snooze_reason: 'x' })).json).toEqual({
      snoozed_until: ['This time has passed: enter one to come, or null to end the snooze.'],
    })
    expect((await patch({ snoozed_until: 'soon', snooze_reason: 'x' })).json).toEqual({
      snoozed_until: ['Datetime has wrong format: use 2026-05-01T02:00:00Z.'],
    })
    const until = '2999-01-01T00:00:00Z'
    expect((await patch({ snoozed_until: until })).json).toEqual({ snooze_reason: ['Say why it is snoozed.'] })
    expect((await patch({ snoozed_until: until, snooze_reason: 'x' }, tokens.reader)).status).toBe(403)

    const snoozed = await patch({ snoozed_until: until, snooze_reason: 'moving house', changelog_message: 'agreed' })
    expect(snoozed.json).toMatchObject({
      ...{ state: { value: 'snoozed', label: 'Snoozed' }, snoozed_until: until, snooze_reason: 'moving house' },
      ...{ snoozed_by: 'admin', snoozed_at: expect.any(String) },
    })
    expect(await listed('')).toEqual([refused, unreachable])
    expect(await listed('state=snoozed')).toEqual([unreachable])
    const log = await ask('GET', `${root}/changes/?changed_object_type=netbox_pbs.finding`)
    expect(log.json.results).toMatchObject([
      {
        ...{ display: 'Finding pbs-a updated by admin', message: 'agreed', user_name: 'admin' },
        prechange_data: { snoozed_until: null },
        postchange_data: { snoozed_until: until, snooze_reason: 'moving house' },
      },
    ])
    expect((await patch({ snoozed_until: null })).json).toMatchObject({
      state: { value: 'open' },
      snooze_reason: '',
      snoozed_at: null,
    })
    expect(await listed('')).toEqual([unreachable, refused])
  })

  test('say by which observation they closed, and then cannot be snoozed', async () => {
    const { json } = await ask('GET', `${list}?server=pbs-b`)
    const [{ id, server }] = json.results
    const health = nextHealth(null, {
      at: '2026-06-01T12:30:00Z',
      runId: null,
      checked: true,
      _tag: 'answered',
      latencyMs: 1,
    })
    await site.use(Effect.flatMap(ServerObservations, (all) => all.record({ serverId: server.id, health })))
    await evaluate()
    expect((await ask('GET', `${list}${id}/`)).json).toMatchObject({
      state: { value: 'closed', label: 'Closed' },
      closed: '2026-06-01T12:02:00Z',
      closed_by: 'pbs-b answered at 2026-06-01T12:30:00Z.',
    })
    const body = { snoozed_until: '2999-01-01T00:00:00Z', snooze_reason: 'x' }
    expect(await ask('PATCH', `${list}${id}/`, { body })).toMatchObject({
      status: 400,
      json: { detail: `finding ${id} is closed since 2026-06-01T12:02:00Z: nothing is left to snooze` },
    })
  })
})
