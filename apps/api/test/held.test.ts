import { naturalKey, type Scope } from '@netbox-pbs/core'
import { ChangeSets, InventoryLists, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Site, startSite, tokens } from './pages/site.ts'
import { Visitor } from './pages/visitor.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { asker, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
let site: Site
let ask: TestApi['ask']

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  ask = asker(site.url, tokens.writer)
})
afterAll(() => site.stop())

/** A server with verify jobs, of which a run held the first `gone` back. */
async function held(
  name: string,
  rows: number,
  unknown: number,
): Promise<{ run: number; path: string; ids: Array<number> }> {
  const made = await ask('POST', `${root}/servers/`, { body: { name, host: '192.0.2.1', token_id: 'a@pbs!b' } })
  const server: number = made.json.id
  const scope: Scope = { resource: 'jobs', server: name, job_type: 'verify' }
  const facts = Array.from({ length: rows }, (_, n) => ({
    server,
    job_type: 'verify',
    job_id: `v-${String(n).padStart(2, '0')}`,
    store: 'tank',
    namespace: '',
    remote: '',
    schedule: 'daily',
    comment: '<b>',
    disable: false,
    options: {},
  }))
  const land = (
    runId: number,
    visibility: string,
    changes: Parameters<typeof ChangeSets.Service.append<'job'>>[0]['changes'],
    hold: boolean,
  ) =>
    Effect.gen(function* () {
      const changeSets = yield* ChangeSets
      const changeSet = yield* changeSets.open({ runId, serverId: server })
      yield* changeSets.append({ changeSet, scope, model: 'job', changes })
      const at = '2026-06-01T00:00:00Z'
      yield* changeSets.land({
        changeSet,
        scope,
        runId,
        at,
        visibility,
        held: hold ? 'visibility_changed' : null,
        listed: true,
        record: null,
      })
      yield* changeSets.close({ changeSet })
    })
  return site.use(
    Effect.gen(function* () {
      const { id: run } = yield* (yield* Runs).create({
        resources: ['jobs'],
        servers: null,
        trigger: 'manual',
        user: 'a',
      })
      const creates = facts.map((values) => ({ _tag: 'create', key: naturalKey('job', values), values }) as const)
      yield* land(run, 'wide', creates, false)
      const page = { _tag: 'offset', limit: 100, offset: 0 } as const
      const listed = yield* (yield* InventoryLists).list({
        model: 'job',
        filters: [{ field: 'server', lookup: 'exact', values: [server] }],
        search: null,
        order: [],
        page,
      })
      const ids = listed.rows.map(({ id }) => id)
      const deletes = facts
        .slice(0, unknown)
        .map((values, n) => ({ _tag: 'delete', id: ids[n] ?? 0, key: naturalKey('job', values) }) as const)
      yield* land(run, 'narrow', deletes, true)
      return { run, path: `${root}/sync-runs/${run}/held/`, ids }
    }),
  )
}
const first = async (path: string) => (await ask('GET', path)).json.results[0]

describe('held deletions over REST', () => {
  test('are listed under their run with an exact count and up to ten samples', async () => {
    const { run, path, ids } = await held('pbs-list', 14, 12)
    const { status, json } = await ask('GET', path)
    expect([status, json.count, json.next, json.previous]).toEqual([200, 1, null, null])
    const [set] = json.results
    expect(set).toMatchObject({
      url: `${site.url}${path}${set.id}/`,
      display: 'verify jobs of pbs-list',
      scope: { resource: 'jobs', server: 'pbs-list', job_type: 'verify' },
      state: { value: 'waiting', label: 'Waiting' },
      reason: { code: 'visibility_changed', message: expect.stringContaining('privileges') },
      revision: 1,
      count: 12,
      since: '2026-06-01T00:00:00Z',
      run: { id: run, url: `${site.url}${root}/sync-runs/${run}/` },
      decided_by: null,
      decided_at: null,
    })
    expect(set.samples).toHaveLength(10)
    expect(set.samples[0]).toEqual({
      id: ids[0],
      url: `${site.url}${root}/jobs/${ids[0]}/`,
      display_url: `${site.url}/plugins/pbs/jobs/${ids[0]}/`,
      display: 'verify/v-00',
      missing_since: '2026-06-01T00:00:00Z',
    })
    expect((await ask('GET', `${path}${set.id}/`)).json).toEqual(set)
    expect((await ask('GET', `${root}/sync-runs/${run}/`)).json.held_url).toBe(`${site.url}${path}`)
  })

  test('rows that are missing say so, and lists find them', async () => {
    await held('pbs-rows', 3, 2)
    const names = async (query: string) => {
      const { json } = await ask('GET', `${root}/jobs/?server=pbs-rows&${query}`)
      return [json.count, json.results.map((row: { job_id: string }) => row.job_id)]
    }
    expect(await names('missing_since__empty=false')).toEqual([2, ['v-00', 'v-01']])
    expect(await names('missing_since__empty=True')).toEqual([1, ['v-02']])
    expect((await names('missing_since__empty=1'))[0]).toBe(3)
    const { json } = await ask('GET', `${root}/jobs/?server=pbs-rows&missing_since__empty=false`)
    expect(json.results[0].missing_since).toBe('2026-06-01T00:00:00Z')
  })

  test('are confirmed once, which starts a run of that scope', async () => {
    const { path } = await held('pbs-confirm', 5, 3)
    const set = await first(path)
    const confirm = (body?: unknown) => ask('POST', `${path}${set.id}/confirm/`, body === undefined ? {} : { body })
    const started = await confirm({ revision: set.revision })
    expect(started).toMatchObject({
      status: 201,
      json: {
        resources: ['jobs'],
        servers: ['pbs-confirm'],
        scope_filter: { job_types: ['verify'] },
        trigger: { value: 'manual' },
      },
    })
    expect(started.headers.get('location')).toBe(started.json.url)
    expect(await first(path)).toMatchObject({ state: { value: 'confirmed' }, decided_at: expect.any(String) })
    expect(await confirm()).toMatchObject({
      status: 409,
      json: {
        detail: expect.stringContaining('confirmed by'),
        held: { id: set.id, state: { value: 'confirmed' }, count: 3 },
      },
    })
  })

  test('are not decided when they are not what the operator saw', async () => {
    const { path } = await held('pbs-changed', 5, 3)
    const set = await first(path)
    for (const decision of ['confirm', 'dismiss']) {
      expect(await ask('POST', `${path}${set.id}/${decision}/`, { body: { revision: 7 } })).toMatchObject({
        status: 409,
        json: { detail: expect.stringContaining('now have 3 rows'), held: { id: set.id, revision: 1 } },
      })
    }
    expect(await first(path)).toMatchObject({ state: { value: 'waiting' } })
  })

  test('are dismissed, and may be confirmed after all', async () => {
    const { path } = await held('pbs-dismiss', 5, 3)
    const set = await first(path)
    expect(await ask('POST', `${path}${set.id}/dismiss/`)).toMatchObject({
      status: 200,
      json: { id: set.id, state: { value: 'dismissed' }, decided_by: expect.any(String) },
    })
    expect((await ask('POST', `${path}${set.id}/confirm/`)).status).toBe(201)
  })

  test('bad requests are told what is wrong', async () => {
    const { path, run } = await held('pbs-bad', 5, 3)
    const { path: other } = await held('pbs-other', 5, 3)
    const set = await first(path)
    const confirm = `${path}${set.id}/confirm/`
    expect(await ask('POST', confirm, { body: { revision: 'x' } })).toMatchObject({
      status: 400,
      json: { revision: ['A valid integer is required.'] },
    })
    expect((await ask('POST', confirm, { body: [] })).status).toBe(400)
    expect((await ask('POST', confirm, { token: tokens.reader })).status).toBe(403)
    expect((await ask('GET', path, { token: tokens.reader })).status).toBe(200)
    expect((await ask('GET', confirm)).status).toBe(405)
    // A set lies only under the runs that held it.
    for (const missing of [
      `${other}${set.id}/`,
      `${path}999999/`,
      `${path}x/`,
      `${root}/sync-runs/${run + 1000}/held/`,
    ]) {
      expect((await ask('GET', missing)).status, missing).toBe(404)
    }
    expect((await ask('POST', `${other}${set.id}/dismiss/`)).status).toBe(404)
    expect(await first(path)).toMatchObject({ state: { value: 'waiting' } })
  })
})

describe('held deletions on pages', () => {
  const visitor = (token = tokens.writer) => new Visitor(site.url).signIn(token)

  test('the overview leads to all that wait; a run shows its own, with some of their rows', async () => {
    const { run, ids } = await held('pbs-page', 14, 12)
    const someone = await visitor()
    expect((await someone.get('/plugins/pbs/')).text).toMatch(
      /href="\/plugins\/pbs\/held\/"[^>]*>\s*[\d,  ]+ deletions wait for you/,
    )
    expect((await someone.get('/plugins/pbs/held/')).text).toContain('verify jobs of pbs-page')
    const { text } = await someone.get(`/plugins/pbs/sync-runs/${run}/`)
    expect(text).toContain('The first 10 of 12')
    expect(text).toContain(`href="/plugins/pbs/jobs/${ids[0]}/"`)
    expect(text).not.toContain('verify jobs of pbs-list')
    expect((await someone.get('/plugins/pbs/jobs/?server=pbs-page')).text.match(/>missing</g)).toHaveLength(12)
    expect((await someone.get(`/plugins/pbs/jobs/${ids[0]}/`)).text).toContain('Missing since')
  })

  test('a form decides, with the revision it was drawn for', async () => {
    const { run, path } = await held('pbs-form', 5, 3)
    const someone = await visitor()
    const { id } = await first(path)
    const form_token = await someone.formToken()
    const { text } = await someone.get(`/plugins/pbs/sync-runs/${run}/`)
    expect(text).toContain(`action="/plugins/pbs/held/${id}/confirm/"`)
    const stale = await someone.send(`/plugins/pbs/held/${id}/confirm/`, { form_token, revision: '9' })
    expect([stale.status, stale.text]).toEqual([409, expect.stringContaining('have changed since you read them')])
    const unseen = await someone.send(`/plugins/pbs/held/${id}/confirm/`, { form_token })
    expect(unseen.status).toBe(409)
    const kept = await someone.send(`/plugins/pbs/held/${id}/dismiss/`, { form_token, revision: '1' })
    expect([kept.status, kept.headers.get('location')]).toEqual([303, '/plugins/pbs/held/'])
    const confirmed = await someone.send(`/plugins/pbs/held/${id}/confirm/`, { form_token, revision: '1' })
    expect([confirmed.status, confirmed.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/plugins\/pbs\/sync-runs\/\d+\/$/),
    ])
    const unknown = await someone.send('/plugins/pbs/held/999999/confirm/', { form_token, revision: '1' })
    expect(unknown.status).toBe(404)
  })

  test('is not for those who may only read, nor for foreign forms', async () => {
    const { run, path } = await held('pbs-guarded', 5, 3)
    const { id } = await first(path)
    const reader = await visitor(tokens.reader)
    expect((await reader.get(`/plugins/pbs/sync-runs/${run}/`)).text).not.toMatch(/Confirm \d+ deletion/)
    const form_token = await reader.formToken()
    expect((await reader.send(`/plugins/pbs/held/${id}/confirm/`, { form_token, revision: '1' })).status).toBe(403)
    const writer = await visitor()
    expect((await writer.send(`/plugins/pbs/held/${id}/confirm/`, { form_token: 'x', revision: '1' })).status).toBe(403)
    expect(await first(path)).toMatchObject({ state: { value: 'waiting' } })
  })
})
