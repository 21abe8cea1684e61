import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { Frame } from '@netbox-pbs/proxbox-client/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, ofKind, openSync, syncFrames } from './simulated.ts'

let pbs: Simulator
let gateway: RunningGateway
let endpoint: number

beforeEach(async () => {
  pbs = await startSimulator({ snapshots: 300, failureDelayMs: 0, now: 1_780_358_400 })
  gateway = await startGateway()
  endpoint = await addEndpoint(gateway, pbs)
})
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

/** What the end of a stream tells. */
const costs = async (resource: string, body: object = { run: '7' }) => {
  const frames = await syncFrames(gateway, resource, body)
  return ofKind(frames, 'end')[0]?.costs
}
const total = (told: Awaited<ReturnType<typeof costs>>) => told?.reduce((sum, { requests }) => sum + requests, 0)

test.each(['servers', 'datastores', 'snapshots', 'jobs', 'tasks'])(
  'the end of %s tells how many requests the server has seen, and their bytes',
  async (resource) => {
    const told = await costs(resource)
    expect(told).toEqual([
      {
        server: 'pbs-a',
        run: '7',
        requests: pbs.counts.requests,
        bytes: expect.any(Number),
        millis: expect.any(Number),
        most_in_flight: expect.any(Number),
      },
    ])
    expect(told?.[0]?.bytes).toBeGreaterThan(0)
    expect(told?.[0]?.most_in_flight).toBeGreaterThan(0)
    expect(told?.[0]?.most_in_flight).toBeLessThanOrEqual(4)
  },
)

test('the bytes are those of the bodies that came', async () => {
  const body = JSON.stringify({ data: { version: '4.2', release: '1', repoid: 'x'.repeat(5000) } })
  pbs.faults.add({ kind: 'body', match: { path: '/version' }, body })
  pbs.faults.add({ kind: 'status', match: { path: '/nodes/localhost/time' }, status: 500 })
  const [told] = (await costs('servers')) ?? []
  expect(told).toMatchObject({ requests: 2, most_in_flight: 1 })
  expect(told?.bytes).toBeGreaterThanOrEqual(body.length)
  expect(told?.bytes).toBeLessThan(body.length + 200)
})

test('requests that fail cost too', async () => {
  pbs.faults.add({ kind: 'hang', match: { path: '/admin/datastore' } })
  await gateway.request(`/pbs/endpoints/${endpoint}`, { method: 'PUT', json: { timeout_seconds: 1 } })
  const [told] = (await costs('datastores')) ?? []
  expect(told?.requests).toBe(pbs.counts.requests)
  expect(told?.millis).toBeGreaterThanOrEqual(1000)
})

test('a stream that breaks off is told of by the next one, under its own run', async () => {
  const response = await openSync(gateway, 'snapshots', { run: '7' })
  await response.body?.getReader().read()
  await response.body?.cancel().catch(() => {})
  const broken = pbs.counts.requests
  expect(broken).toBeGreaterThan(0)
  const ofRun: Record<string, number> = { 7: 0, 8: 0 }
  // The gateway notices some time later that its client has left.
  await vi.waitFor(async () => {
    for (const { run = '', requests } of (await costs('tasks', { run: '8' })) ?? [])
      ofRun[run] = (ofRun[run] ?? 0) + requests
    expect((ofRun[7] ?? 0) + (ofRun[8] ?? 0)).toBe(pbs.counts.requests)
  })
  expect(ofRun).toEqual({ 7: expect.any(Number), 8: expect.any(Number) })
  expect(ofRun[7]).toBeGreaterThanOrEqual(broken)
})

test('what is asked for no run is told without one; who names no run is told nothing', async () => {
  await gateway.request('/pbs/endpoints/test', { method: 'POST', json: { id: endpoint } })
  await gateway.request('/pbs/status')
  await gateway.request('/pbs/sync/jobs')
  expect(await costs('tasks', {})).toBeUndefined()
  const before = pbs.counts.requests
  const told = await costs('servers', { run: '7' })
  expect(told?.map(({ run, requests }) => [run, requests])).toEqual([
    [undefined, before],
    ['7', pbs.counts.requests - before],
  ])
})

test('servers that a list does not contact are told of by their own streams', async () => {
  await gateway.request('/pbs/status')
  expect(await costs('servers', { run: '7', servers: [] })).toBeUndefined()
  expect(total(await costs('servers'))).toBe(pbs.counts.requests)
})

test('after the most requests no scope is begun, and one that has begun is read to its end', async () => {
  const most_requests = 4
  const frames = await syncFrames(gateway, 'snapshots', { run: '7', most_requests })
  const told = ended(frames, 'failed')
  expect(ended(frames, 'complete')[0]).toMatch(/^namespaces /)
  expect(told.length).toBeGreaterThan(0)
  expect(told.filter((title) => !title.endsWith(' request_limit'))).toEqual([])
  expect(ofKind(frames, 'failed')[0]?.retryable).toBe(false)
  // Four namespaces are opened ahead, each with a list of groups, one of snapshots and the privileges after it.
  expect(pbs.counts.requests).toBeLessThanOrEqual(most_requests + 4 * 4)
})

test.each([
  ['datastores', ['datastores']],
  ['snapshots', ['datastores']],
  ['jobs', ['jobs verify', 'jobs prune', 'jobs sync', 'jobs gc', 'jobs tape']],
  ['tasks', ['tasks']],
])('no request is left: none of %s is asked for', async (resource, scopes) => {
  const frames = await syncFrames(gateway, resource, { run: '7', most_requests: 0 })
  expect(ended(frames, 'failed')).toEqual(scopes.map((scope) => `${scope} request_limit`))
  expect(pbs.counts.requests).toBe(0)
})

test('an end without costs, as a gateway that does not count sends it, is valid', () => {
  expect(Frame.parse({ frame: 'end', items: [] })).toEqual({ frame: 'end', items: [] })
})
