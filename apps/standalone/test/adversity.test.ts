import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import {
  allRows,
  connect,
  type Rest,
  type Row,
  type RunAnswer,
  request,
  setTimeoutSeconds,
  syncAndWait,
  syncTwice,
} from './support/rest.ts'

import { type RunningSystem, startSystem } from './support/running-system.ts'

const models = ['datastores', 'namespaces', 'groups', 'snapshots', 'jobs']
const options = { failureDelayMs: 0, snapshots: 60, now: 1_790_000_000 }

let sick: Simulator
let well: Simulator
let running: RunningSystem
let sickId: number

beforeAll(async () => {
  sick = await startSimulator({ ...options, name: 'pbs-sick', seed: 21 })
  well = await startSimulator({ ...options, name: 'pbs-well', seed: 22 })
  running = await startSystem(await homeOnPostgres())
  sickId = (await connect(running, sick)).id
  await connect(running, well)
  expect((await syncAndWait(running)).status.value).toBe('completed')
})
afterAll(async () => {
  await running.stop()
  await Promise.all([sick.close(), well.close()])
})
afterEach(() => sick.faults.clear())

/** The rows of the sick server without what a list moves, also one that finds no change. */
async function rowsOfSick(rest: Rest): Promise<ReadonlyArray<object>> {
  const rows = await Promise.all(models.map((model) => allRows(rest, model, `&server_id=${sickId}`)))
  const moved = ['last_seen_at', 'usage_at', 'last_full_at', 'last_light_at', 'missed_runs']
  return rows.flat().map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !moved.includes(name))))
}

const failed = (run: RunAnswer) =>
  run.scopes
    .filter(({ outcome }) => ['failed', 'skipped'].includes(outcome.value))
    .map(({ display, outcome, reason }) => ({ title: display, outcome: outcome.value, code: reason?.code }))

const endpointOfSick = async (): Promise<number> => {
  const { json } = await request(running, 'GET', `/api/plugins/pbs/servers/${sickId}/`)
  return Number((json as Row)['endpoint_id']) // border: a test reads what it asserts
}

const store = () => sick.state.datastores[0]?.name ?? ''

/** The sick server loses and changes nothing, the other one is still read, and the next good run is complete. */
async function expectUnharmed(cause: () => void | Promise<void>, check: (run: RunAnswer) => void): Promise<void> {
  const before = await rowsOfSick(running)
  await cause()
  const run = await syncAndWait(running)
  expect(await rowsOfSick(running)).toEqual(before)
  expect(failed(run).filter(({ title }) => title.includes('pbs-well'))).toEqual([])
  check(run)
}

test('an unreachable server: every scope of it failed, and its status says so', async () => {
  await expectUnharmed(
    () => sick.pause(),
    (run) => {
      expect(run.status.value).toBe('incomplete')
      expect(failed(run)).not.toEqual([])
      expect(new Set(failed(run).map(({ code }) => code))).toEqual(new Set(['unreachable']))
    },
  )
  const { json } = await request(running, 'GET', `/api/plugins/pbs/servers/${sickId}/`)
  expect(json).toMatchObject({ status: { value: 'unreachable' } })
  await sick.resume()
  expect((await syncAndWait(running)).status.value).toBe('completed')
})

test('a wrong fingerprint: the server never sees the Authorization header', async () => {
  const known = sick.fingerprint
  await sick.rotateCertificate()
  sick.discardRequests()
  await expectUnharmed(
    () => undefined,
    (run) => {
      expect(new Set(failed(run).map(({ code }) => code))).toEqual(new Set(['tls_fingerprint_mismatch']))
      const reasons = run.scopes.map(({ reason }) => reason?.message ?? '').join(' ')
      expect(reasons).toContain(known)
      expect(reasons).toContain(sick.fingerprint)
    },
  )
  expect(sick.counts.connections).toBeGreaterThan(0)
  expect(sick.requests).toEqual([])
  const trusted = await request(running, 'PATCH', `/api/plugins/pbs/servers/${sickId}/`, {
    fingerprint: sick.fingerprint,
  })
  expect(trusted.status, JSON.stringify(trusted.json)).toBe(200)
  expect((await syncAndWait(running)).status.value).toBe('completed')
})

test('401: unauthorized', async () => {
  await expectUnharmed(
    () => sick.faults.add({ kind: 'status', status: 401, body: 'authentication failed' }),
    (run) => expect(new Set(failed(run).map(({ code }) => code))).toEqual(new Set(['unauthorized'])),
  )
})

test('403 on one store: that store fails, the others go on', async () => {
  await expectUnharmed(
    () =>
      sick.faults.add({
        kind: 'status',
        status: 403,
        body: `permission check failed - missing Datastore.Audit on /datastore/${store()}`,
        match: { path: new RegExp(`^/admin/datastore/${store()}/`) },
      }),
    (run) => {
      expect(run.status.value).toBe('incomplete')
      expect(failed(run)).not.toEqual([])
      expect(
        failed(run).every(({ title, code }) => title.includes(`pbs-sick/${store()}`) && code === 'forbidden'),
      ).toBe(true)
    },
  )
})

test('a stream cut in the middle: the scope fails', async () => {
  await expectUnharmed(
    () => sick.faults.add({ kind: 'cut', afterBytes: 700, match: { path: `/admin/datastore/${store()}/snapshots` } }),
    (run) => {
      expect(run.status.value).toBe('incomplete')
      expect(failed(run)).not.toEqual([])
      expect(failed(run).every(({ title }) => title.startsWith(`snapshots of pbs-sick/${store()}`))).toBe(true)
    },
  )
})

test('a store in maintenance: its scopes are skipped, and the run is complete', async () => {
  sick.setMaintenance(store(), 'offline', 'new disks')
  const before = (await allRows(running, 'snapshots', `&server_id=${sickId}`)).map(({ last_seen_at: _, ...row }) => row)
  const run = await syncAndWait(running)
  expect(
    (await allRows(running, 'snapshots', `&server_id=${sickId}`)).map(({ last_seen_at: _, ...row }) => row),
  ).toEqual(before)
  expect(run.status.value).toBe('completed')
  expect(new Set(failed(run).map(({ outcome, code }) => `${outcome} ${code}`))).toEqual(
    new Set(['skipped maintenance']),
  )
  expect(run.scopes.map(({ reason }) => reason?.message ?? '').join(' ')).toContain('new disks')
  sick.setMaintenance(store(), null)
  expect((await syncAndWait(running)).status.value).toBe('completed')
})

test('a server at its ceiling is left alone until the setting is raised', async () => {
  const setting = (pbs_requests_per_day: number) =>
    request(running, 'PATCH', '/api/plugins/pbs/settings/', { pbs_requests_per_day })
  const today = async () =>
    Number((await allRows(running, `servers/${sickId}/costs`, '&limit=1'))[0]?.['requests'] ?? 0)
  const before = await rowsOfSick(running)
  const group = sick.state.datastores[0]?.namespaces.flatMap(({ path: ns, groups }) =>
    groups.map((one) => ({ ns, ...one })),
  )[0]
  if (group === undefined) throw new Error('the server has no group')
  sick.removeGroup({ store: store(), ...group })
  // The contact and the datastores take more than these; no list of snapshots is begun.
  await setting((await today()) + 9)
  const begun = await syncAndWait(running)
  expect([begun.status.value, begun.error]).toEqual(['incomplete', expect.stringContaining('pbs_requests_per_day')])
  expect(new Set(failed(begun).map(({ outcome, code }) => `${outcome} ${code}`))).toEqual(
    new Set(['skipped request_limit']),
  )
  const seen = sick.counts.requests
  const next = await syncAndWait(running)
  expect([next.status.value, sick.counts.requests]).toEqual(['incomplete', seen])
  expect(await rowsOfSick(running)).toEqual(before)
  await setting(0)
  expect((await syncTwice(running)).status.value).toBe('completed')
  expect((await rowsOfSick(running)).length).toBeLessThan(before.length)
})

test('a run of one server asks no other, and says nothing of it', async () => {
  const status = async () => (await request(running, 'GET', `/api/plugins/pbs/servers/${sickId}/`)).json
  const before = await status()
  sick.faults.add({ kind: 'hang', match: {} })
  const requested = sick.counts.requests
  const run = await syncAndWait(running, { servers: ['pbs-well'] })
  expect(run).toMatchObject({ status: { value: 'completed' }, warnings: [] })
  expect(sick.counts.requests).toBe(requested)
  expect(await status()).toEqual(before)
})

test('a list that hangs is its own trouble: the rest of the server is read, and it stays reachable', async () => {
  await setTimeoutSeconds(running, await endpointOfSick(), 2)
  sick.faults.add({ kind: 'hang', match: { path: `/admin/datastore/${sick.state.datastores.at(-1)?.name}/namespace` } })
  const [job] = sick.state.jobs.verify
  if (job !== undefined) job.comment = 'read anyway'
  const run = await syncAndWait(running)
  expect(run.status.value).toBe('incomplete')
  expect(new Set(failed(run).map(({ code }) => code))).toEqual(new Set(['timeout']))
  const jobs = await allRows(running, 'jobs', `&server_id=${sickId}&job_type=verify`)
  expect(jobs.map(({ comment }) => comment)).toContain('read anyway')
  const { json } = await request(running, 'GET', `/api/plugins/pbs/servers/${sickId}/`)
  expect(json).toMatchObject({ status: { value: 'reachable' }, consecutive_failures: 0 })
  sick.faults.clear()
  await setTimeoutSeconds(running, await endpointOfSick(), 30)
  expect((await syncAndWait(running)).status.value).toBe('completed')
})

test('a store hidden by NoAccess: nothing vanishes, and what is held back carries missing_since', async () => {
  const kept = [...sick.state.acl]
  const hidden = sick.state.datastores.at(-1)?.name ?? ''
  const stores = async () => allRows(running, 'datastores', `&server_id=${sickId}`)
  const before = await rowsOfSick(running)
  for (const authId of [sick.tokens.audit.tokenId, 'inventory@pbs'])
    sick.state.acl.push({ path: `/datastore/${hidden}`, authId, role: 'NoAccess', propagate: true })

  const run = await syncTwice(running)
  expect(run.status.value).toBe('incomplete')
  expect(run.scopes.map(({ reason }) => reason?.code)).toContain('visibility_changed')
  expect((await rowsOfSick(running)).length).toBe(before.length)
  expect((await stores()).filter((row) => row.missing_since !== null).map(({ name }) => name)).toEqual([hidden])

  sick.state.acl.splice(0, sick.state.acl.length, ...kept)
  expect((await syncAndWait(running)).status.value).toBe('completed')
  expect(await rowsOfSick(running)).toEqual(before)
})
