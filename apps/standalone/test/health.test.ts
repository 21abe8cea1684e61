import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { allRows, connect, request, runEnded, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

const options = { failureDelayMs: 0, snapshots: 40, now: 1_790_000_000 }
let pbs: Simulator
let running: RunningSystem
let path: string

beforeAll(async () => {
  pbs = await startSimulator({ ...options, name: 'pbs-sick', seed: 31 })
  running = await startSystem(await homeOnPostgres())
  path = `/api/plugins/pbs/servers/${(await connect(running, pbs)).id}/`
})
afterAll(async () => {
  await running.stop()
  await pbs.close()
})

/** The served health of the server, and its ETag. */
const health = async () => {
  const response = await fetch(new URL(path, running.url), { headers: { Authorization: `Bearer ${running.token}` } })
  const row = (await response.json()) as Record<string, unknown> // border: a test reads what it asserts
  return { row, unmoved: [response.headers.get('etag'), row['last_updated']] }
}
const found = async (query: string) => (await allRows(running, 'servers', `&${query}`)).map((row) => row['name'])
const counts = async () =>
  Promise.all(
    ['datastores', 'namespaces', 'groups', 'snapshots', 'jobs'].map(
      async (model) => (await allRows(running, model)).length,
    ),
  )

test('from well to unreachable, back, to another certificate and a revoked token: nothing vanishes, and each is told', async () => {
  expect((await syncAndWait(running)).status.value).toBe('completed')
  const before = await counts()
  const well = await health()
  expect(well.row).toMatchObject({
    status: { value: 'reachable' },
    status_since: expect.stringMatching(/Z$/),
    consecutive_failures: 0,
    last_error_code: '',
    last_error: '',
    last_error_at: null,
    latency_ms: expect.any(Number),
    tls_state: { value: 'ok' },
    presented_fingerprint: '',
    last_seen_at: expect.stringMatching(/Z$/),
  })
  expect(well.row).not.toHaveProperty('failed_run')

  await pbs.pause()
  const first = await syncAndWait(running)
  const down = await health()
  expect(first.status.value).toBe('incomplete')
  expect(down.row).toMatchObject({
    status: { value: 'unreachable' },
    consecutive_failures: 1,
    last_error_code: 'unreachable',
    last_error: expect.stringContaining(`PBS ${pbs.host}:${pbs.port} cannot be reached`),
    latency_ms: null,
    last_seen_at: well.row['last_seen_at'],
  })
  const since = String(down.row['status_since'])
  expect(since > String(well.row['status_since'])).toBe(true)
  expect(JSON.stringify(down.row)).not.toContain(pbs.tokens.audit.secret)
  for (const failures of [2, 3, 4]) {
    const run = await syncAndWait(running)
    const { row } = await health()
    expect([row['consecutive_failures'], row['status_since']]).toEqual([failures, since])
    const requested = run.scopes.filter(({ reason }) => reason !== null && !reason.message.startsWith('not asked'))
    // The list of servers is the only attempt at one that has failed three runs.
    expect(requested.map(({ display }) => display)).toEqual(failures < 4 ? ['datastores of pbs-sick'] : [])
  }
  expect(await found('status=unreachable')).toEqual(['pbs-sick'])
  expect(await found('status=reachable')).toEqual([])
  expect(await found('consecutive_failures=4')).toEqual(['pbs-sick'])

  await pbs.resume()
  expect((await syncAndWait(running)).status.value).toBe('completed')
  const again = await health()
  expect(again.row).toMatchObject({
    status: { value: 'reachable' },
    consecutive_failures: 0,
    last_error_code: '',
    last_error: '',
    last_error_at: null,
  })
  expect(String(again.row['status_since']) > since).toBe(true)

  const known = pbs.fingerprint
  await pbs.rotateCertificate()
  pbs.discardRequests()
  const rejected = await syncAndWait(running)
  expect(pbs.requests).toEqual([])
  const changed = await health()
  expect(changed.row).toMatchObject({
    status: { value: 'unreachable' },
    tls_state: { value: 'fingerprint_changed' },
    fingerprint: known,
    presented_fingerprint: pbs.fingerprint,
    last_error_code: 'tls_fingerprint_mismatch',
    consecutive_failures: 1,
  })
  const warned = rejected.warnings.filter(({ code }) => code === 'tls_fingerprint_mismatch')
  expect(warned.map(({ message }) => [message.includes(known), message.includes(pbs.fingerprint)])).toEqual([
    [true, true],
  ])
  expect(await found('tls_state=fingerprint_changed')).toEqual(['pbs-sick'])
  // All that moved so far were observations.
  expect(changed.unmoved).toEqual(well.unmoved)

  const pinned = await request(running, 'PATCH', path, { fingerprint: pbs.fingerprint })
  expect(pinned.status, JSON.stringify(pinned.json)).toBe(200)
  expect(pinned.json).toMatchObject({ status: { value: 'reachable' }, tls_state: { value: 'ok' }, last_error: '' })
  const [started] = await allRows(running, 'sync-runs')
  await runEnded(running, started?.id ?? 0)
  pbs.faults.add({ kind: 'status', status: 401, body: 'authentication failed' })
  await syncAndWait(running)
  expect((await health()).row).toMatchObject({
    status: { value: 'reachable' },
    tls_state: { value: 'ok' },
    presented_fingerprint: '',
    last_error_code: 'unauthorized',
    consecutive_failures: 1,
  })
  pbs.faults.clear()
  expect((await syncAndWait(running)).status.value).toBe('completed')
  expect((await health()).row).toMatchObject({ consecutive_failures: 0, last_error: '' })
  expect(await counts()).toEqual(before)
}, 120_000)
