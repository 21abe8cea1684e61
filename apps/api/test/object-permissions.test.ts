import { naturalKey, noRows, type Scope } from '@netbox-pbs/core'
import { ChangeSets, Findings, InventoryLists, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pages } from '../src/pages/pages.ts'
import { restPaths } from '../src/routes/rest-paths.ts'
import { Visitor } from './pages/visitor.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, type Ask, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
const password = 'correct horse battery'

let api: TestApi
/** Asks as a user who sees the first server only. */
let limited: (method: string, path: string, ask?: Ask) => Promise<Answer>
let visitor: Visitor
/** The run that is about both servers. */
let run: number

/** Text that only rows and records of the second server have: in names, hosts, stores, comments and errors. */
const secret = /veiled/i

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  for (const name of ['seen', 'veiled']) await fill(name)
  run = await api.run(recorded)
  for (const name of ['seen', 'veiled']) await hold(name)
  await api.ask('PATCH', `${root}/servers/2/`, { body: { host: 'veiled-too.example' } })
  await api.ask('POST', `${root}/branches/`, { body: { name: 'veiled plans' } })
  const now = Math.floor(Date.now() / 1000)
  await api.run(
    Effect.flatMap(Findings, (all) => all.evaluate({ now, every: 60, latest: now, afterRuns: true, byWorker: true })),
  )
  const user = { username: 'lin', password, role: 'operator', servers: ['seen-pbs'] }
  const made = await api.ask('POST', '/api/users/users/', { body: user })
  expect([made.status, made.json.servers]).toEqual([201, [1]])
  const { json } = await api.ask('POST', '/api/users/tokens/', { body: { user: made.json.id } })
  limited = (method, path, ask = {}) => api.ask(method, path, { ...ask, token: `nbt_${json.key}.${json.token}` })
  visitor = new Visitor(api.url)
  await visitor.send('/plugins/pbs/login/', { username: 'lin', password })
})
afterAll(() => api.stop())

async function fill(name: string): Promise<void> {
  const server = `${name}-pbs`
  const bodies: ReadonlyArray<readonly [string, object]> = [
    ['servers', { name: server, host: `${name}.example`, token_id: `${name}@pbs!b`, fingerprint: '' }],
    ['datastores', { server, name: `${name}-store`, path: `/${name}`, comment: name, used_bytes: 5, total_bytes: 9 }],
    [
      'snapshots',
      ['100', '101'].map((backup_id) => ({
        ...{ server, datastore_name: `${name}-store`, namespace: name, backup_type: 'vm', backup_id },
        ...{ backup_time: '2026-05-01T00:00:00Z', comment: name, owner: `${name}@pbs` },
      })),
    ],
    ['jobs', { server, job_type: 'gc', job_id: `${name}-store`, store: `${name}-store`, comment: name }],
  ]
  for (const [path, body] of bodies)
    expect([path, (await api.ask('POST', `${root}/${path}/`, { body })).status]).toEqual([path, 201])
}

/** A run of both servers, with jobs, scopes, errors and warnings of each. */
const recorded = Effect.gen(function* () {
  const runs = yield* Runs
  const { id } = yield* runs.create({
    ...{ resources: ['datastores', 'jobs'], servers: ['seen-pbs', 'veiled-pbs'], trigger: 'manual', user: 'admin' },
    scope_filter: { datastores: ['veiled-store'] },
  })
  yield* runs.expectJobs({ id, serverIds: [1, 2] })
  for (const [serverId, name] of [
    [1, 'seen'],
    [2, 'veiled'],
  ] as const) {
    const scope: Scope = { resource: 'datastores', server: `${name}-pbs` }
    yield* runs.startJob({ id, serverId })
    const result = { scope, outcome: 'failed', counts: { ...noRows, created: serverId } } as const
    const times = { started: '2026-06-01T00:00:00Z', ended: '2026-06-01T00:00:01Z' }
    const reason = { code: 'unreachable', message: `${name}.example does not answer` } as const
    yield* runs.recordScope({ id, serverId, result: { ...result, ...times, reason } })
    yield* runs.warn({ id, warnings: [{ scope, code: 'odd', message: `${name}: odd`, count: 1 }] })
    yield* runs.progress({ id, serverId, rowsRead: 10 * serverId })
    yield* runs.endJob({ id, serverId, error: `${name}.example does not answer` })
  }
  yield* runs.warn({ id, warnings: [{ scope: null, code: 'odd', message: 'a veiled one', count: 1 }] })
  return id
})

/** Deletions of a job that wait for a decision. */
const hold = (name: string) =>
  api.run(
    Effect.gen(function* () {
      const changeSets = yield* ChangeSets
      const { rows } = yield* (yield* InventoryLists).list({
        ...{ model: 'server', filters: [{ field: 'name', lookup: 'exact', values: [`${name}-pbs`] }], search: null },
        ...{ order: [], page: { _tag: 'offset', limit: 1, offset: 0 } },
      })
      const server = rows[0]?.id ?? 0
      const scope: Scope = { resource: 'jobs', server: `${name}-pbs`, job_type: 'verify' }
      const values = { server, job_type: 'verify', job_id: `${name}-job`, store: `${name}-store`, namespace: '' }
      const facts = { ...values, remote: '', schedule: 'daily', comment: '', disable: false, options: {} }
      const key = naturalKey('job', facts)
      const land = (
        visibility: string,
        changes: Parameters<typeof changeSets.append<'job'>>[0]['changes'],
        held: boolean,
      ) =>
        Effect.gen(function* () {
          const changeSet = yield* changeSets.open({ runId: run, serverId: server })
          yield* changeSets.append({ changeSet, scope, model: 'job', changes })
          yield* changeSets.land({
            ...{ changeSet, scope, runId: run, at: '2026-06-01T00:00:00Z', visibility, listed: true, record: null },
            held: held ? 'visibility_changed' : null,
          })
          yield* changeSets.close({ changeSet })
        })
      yield* land('wide', [{ _tag: 'create', key, values: facts }], false)
      const listed = yield* (yield* InventoryLists).list({
        ...{ model: 'job', filters: [{ field: 'job_id', lookup: 'exact', values: [`${name}-job`] }], search: null },
        ...{ order: [], page: { _tag: 'offset', limit: 1, offset: 0 } },
      })
      yield* land('narrow', [{ _tag: 'delete', id: listed.rows[0]?.id ?? 0, key }], true)
    }),
  )

const lists = restPaths.flatMap(({ routes }) =>
  routes.flatMap(({ config }) => (config.method === 'get' ? [config.path] : [])),
)

/** Addresses of a path: with each of the first ids in the places of its ids. */
const addresses = (path: string): ReadonlyArray<string> =>
  /\{\w+\}/.test(path) ? [1, 2, 3, 4, 5, 6].map((id) => path.replaceAll(/\{\w+\}/g, String(id))) : [path]

describe('a user of one server', () => {
  test.each(lists)('reads nothing of another one at %s', async (path) => {
    const queries = [
      '?limit=1000',
      '?limit=1&offset=1',
      '?brief=1',
      '?q=e',
      '?start=0&limit=1000',
      '?export=csv',
      '?export=ndjson',
    ]
    for (const address of addresses(path)) {
      for (const query of address === path && path !== '/api/schema/' ? queries : ['']) {
        const { status, text } = await limited('GET', `${address}${query}`, { documented: false })
        expect([address, query, text.match(secret)?.[0]]).toEqual([address, query, undefined])
        expect([200, 400, 403, 404]).toContain(status)
      }
    }
  })

  const pagePaths = pages(() => Promise.reject(new Error('The test only reads the routes.')))
    .routes.filter(({ method, path }) => method === 'GET' && !/\/static\/|\*|login|logout/.test(path))
    .map(({ path }) => `/plugins/pbs${path}`)

  test.each(pagePaths)('sees nothing of another one on %s', async (path) => {
    for (const address of addresses(path.replaceAll(/:\w+\{[^}]+\}/g, '{id}'))) {
      const { status, text } = await visitor.get(address)
      expect([address, text.match(secret)?.[0]]).toEqual([address, undefined])
      expect([200, 403, 404]).toContain(status)
    }
  })

  test('sees its own, where others see both', async () => {
    for (const model of ['servers', 'datastores', 'groups', 'snapshots', 'jobs']) {
      const all = (await api.ask('GET', `${root}/${model}/?limit=100`)).json
      const own = (await limited('GET', `${root}/${model}/?limit=100`)).json
      expect([model, JSON.stringify(all).match(secret)?.[0]]).toEqual([model, 'veiled'])
      expect([model, own.count, own.results.length]).toEqual([model, all.count / 2, all.count / 2])
      const details = all.results.map(
        async ({ id }: { id: number }) => (await limited('GET', `${root}/${model}/${id}/`)).status,
      )
      expect((await Promise.all(details)).sort()).toEqual([
        ...own.results.map(() => 200),
        ...own.results.map(() => 404),
      ])
    }
    expect((await visitor.get('/plugins/pbs/')).text).toContain('seen')
    expect((await visitor.get('/plugins/pbs/servers/')).text).toContain('seen-pbs')
  })

  test.each(['servers', 'datastores', 'snapshots', 'jobs'])('counts and searches only its own %s', async (model) => {
    for (const query of ['q=veiled', 'q=veiled&limit=1', 'server=1&q=veiled'])
      expect([query, (await limited('GET', `${root}/${model}/?${query}`)).json.count]).toEqual([query, 0])
    expect((await api.ask('GET', `${root}/${model}/?q=veiled`)).json.count).toBeGreaterThan(0)
    if (model !== 'servers')
      for (const query of ['server_id=2', 'server=veiled-pbs']) {
        const { status, json } = await limited('GET', `${root}/${model}/?${query}`)
        expect([status, Object.keys(json)]).toEqual([400, [query.split('=')[0]]])
      }
  })

  test('reads the run of both as if it were about its own server', async () => {
    const { json } = await limited('GET', `${root}/sync-runs/${run}/`)
    expect(json).toMatchObject({
      ...{ servers: ['seen-pbs'], scope_filter: null, rows_read: 10, error: 'seen.example does not answer' },
      ...{ counts: { created: 1 }, outcomes: { failed: 1 }, scope_count: 1 },
      warnings: [{ message: 'seen: odd' }],
    })
    expect((await limited('GET', `${root}/sync-runs/${run}/jobs/`)).json).toMatchObject({
      ...{ count: 1, results: [{ server: 'seen-pbs' }] },
    })
    expect((await limited('GET', `${root}/sync-runs/${run}/scopes/`)).json.count).toBe(1)
    const { json: whole } = await api.ask('GET', `${root}/sync-runs/${run}/`)
    expect(whole).toMatchObject({ rows_read: 30, outcomes: { failed: 2 }, counts: { created: 3 } })
    expect(whole.scope_filter).toEqual({ datastores: ['veiled-store'] })
    const other = await api.run(
      Effect.flatMap(Runs, (runs) =>
        runs.create({ resources: ['jobs'], servers: ['veiled-pbs'], trigger: 'schedule', user: '' }),
      ),
    )
    expect((await limited('GET', `${root}/sync-runs/${other.id}/`)).status).toBe(404)
    expect((await limited('GET', `${root}/sync-runs/${other.id}/jobs/`)).status).toBe(404)
  })

  test('decides on its own held deletions only', async () => {
    const { json: held } = await api.ask('GET', `${root}/sync-runs/${run}/held/`)
    expect(held.count).toBe(2)
    const [mine, foreign] = held.results
    const { json: own } = await limited('GET', `${root}/sync-runs/${run}/held/`)
    expect([own.count, own.results[0].id]).toEqual([1, mine.id])
    for (const action of ['confirm', 'dismiss']) {
      const { status } = await limited('POST', `${root}/sync-runs/${run}/held/${foreign.id}/${action}/`, { body: {} })
      expect(status).toBe(404)
      const form_token = await visitor.formToken()
      const sent = await visitor.send(`/plugins/pbs/held/${foreign.id}/${action}/`, { form_token, revision: '1' })
      expect([sent.status, secret.test(sent.text)]).toEqual([404, false])
    }
    expect((await api.ask('GET', `${root}/sync-runs/${run}/held/${foreign.id}/`)).json.state.value).toBe('waiting')
    const dismissed = await limited('POST', `${root}/sync-runs/${run}/held/${mine.id}/dismiss/`, { body: {} })
    expect(dismissed.status).toBe(200)
  })

  test('syncs its own server only, also when it names none', async () => {
    for (const server of ['veiled-pbs', 2]) {
      const { status, json } = await limited('POST', `${root}/sync-runs/`, { body: { servers: [server] } })
      expect([status, json]).toEqual([400, { servers: [`There is no server ${server}.`] }])
    }
    const started = await limited('POST', `${root}/sync-runs/`, { body: {} })
    expect([started.status, started.json.servers]).toEqual([201, ['seen-pbs']])
    expect((await limited('POST', `${root}/sync-runs/${started.json.id}/cancel/`)).status).toBe(200)
    const ours = await api.ask('POST', `${root}/sync-runs/`, { body: { servers: ['seen-pbs', 'veiled-pbs'] } })
    const refused = await limited('POST', `${root}/sync-runs/${ours.json.id}/cancel/`)
    expect([refused.status, refused.json.detail]).toEqual([403, expect.stringContaining('only runs that you started')])
  })

  test('is refused what is about all servers, and branches', async () => {
    const sentence = 'This is about all servers, and your user sees some of them only.'
    for (const path of ['branches/', 'branches/1/', 'settings/'])
      expect((await limited('GET', `${root}/${path}`)).json).toEqual({ detail: sentence })
    expect((await limited('POST', `${root}/branches/`, { body: { name: 'x' } })).status).toBe(403)
    const [branch] = (await api.ask('GET', `${root}/branches/`)).json.results
    const headers = { 'X-NetBox-Branch': branch.schema_id }
    const inBranch = await limited('GET', `${root}/servers/`, { headers })
    expect([inBranch.status, inBranch.json.detail]).toEqual([403, expect.stringContaining('work on main')])
    expect((await visitor.get(`/plugins/pbs/servers/?_branch=${branch.schema_id}`)).status).toBe(403)
    expect((await visitor.get('/plugins/pbs/branches/')).status).toBe(403)
  })

  test('sees what an admin adds, from the next request on', async () => {
    const [user] = (await api.ask('GET', '/api/users/users/?username=lin')).json.results
    const change = (servers: unknown) => api.ask('PATCH', `/api/users/users/${user.id}/`, { body: { servers } })
    const count = async () => (await limited('GET', `${root}/servers/`)).json.count
    expect(await count()).toBe(1)
    await change([1, 2])
    expect(await count()).toBe(2)
    await change([])
    expect(await count()).toBe(0)
    await change(null)
    expect(await count()).toBe(2)
    await change([1])
    expect(await count()).toBe(1)
  })
})
