import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, ofKind, syncFrames } from './simulated.ts'

let pbs: Simulator
let gateway: RunningGateway

beforeEach(async () => {
  pbs = await startSimulator({ snapshots: 40, failureDelayMs: 0, now: 1_780_358_400 })
  gateway = await startGateway()
  // Long enough for a busy machine to answer what does not hang.
  await addEndpoint(gateway, pbs, { timeout_seconds: 2 })
})
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

const run = async (body: object = {}) => {
  const frames = []
  for (const resource of ['servers', 'datastores', 'snapshots', 'jobs', 'tasks'])
    frames.push(...(await syncFrames(gateway, resource, body)))
  return frames
}
const requested = (path: string) => pbs.requests.filter((request) => request.path === `/api2/json${path}`).length

test.each([['/status/datastore-usage'], ['/admin/gc']])(
  'observations of %s that hang cost no fact, and are asked for once in several runs',
  async (path) => {
    pbs.faults.add({ kind: 'hang', match: { path } })
    for (let round = 0; round < 3; round += 1) {
      const frames = await run()
      expect(ofKind(frames, 'failed')).toEqual([])
      const warned = ofKind(frames, 'warning').filter(({ code }) => code === 'state_unavailable')
      expect(warned.length).toBeGreaterThan(0)
      for (const { message } of warned) {
        expect(message).toContain('tank')
        expect(message).toContain('proxmox-backup-proxy')
      }
    }
    expect(requested(path)).toBe(1)
  },
)

test('datastores that hang are asked for once in a run', async () => {
  pbs.faults.add({ kind: 'hang', match: { path: '/admin/datastore' } })
  const frames = await run()
  expect(ended(frames, 'failed')).toEqual(['datastores timeout', 'datastores timeout', 'jobs gc timeout'])
  expect(ended(frames, 'complete')).toEqual(['servers', 'jobs verify', 'jobs prune', 'jobs sync', 'jobs tape', 'tasks'])
  expect(requested('/admin/datastore')).toBe(1)
})

test('namespaces that hang cost their datastore alone, and are asked for once in several runs', async () => {
  const path = '/admin/datastore/tank/namespace'
  pbs.faults.add({ kind: 'hang', match: { path } })
  for (let round = 0; round < 3; round += 1) {
    const frames = await run()
    expect(ended(frames, 'failed')).toEqual(['namespaces tank timeout'])
    expect(ofKind(frames, 'failed')[0]).toMatchObject({ server_answers: true })
    expect(ofKind(frames, 'failed')[0]?.error.message).toMatch(/tank.*proxmox-backup-proxy/)
    expect(ended(frames, 'complete')).toContain('snapshots vault')
    expect(ended(frames, 'complete')).toContain('jobs verify')
  }
  expect(requested(path)).toBe(1)
})

test('an endpoint that is changed is asked again at once', async () => {
  const path = '/status/datastore-usage'
  pbs.faults.add({ kind: 'hang', match: { path }, times: 1 })
  await syncFrames(gateway, 'datastores')
  const [{ id }] = (await (await gateway.request('/pbs/endpoints')).json()) as [{ id: number }]
  await gateway.request(`/pbs/endpoints/${id}`, { method: 'PUT', json: { timeout_seconds: 9 } })
  const frames = await syncFrames(gateway, 'datastores')
  expect(ofKind(frames, 'warning').filter(({ code }) => code === 'state_unavailable')).toEqual([])
  expect(requested(path)).toBe(2)
})

test.each([
  ['/nodes/localhost/time'],
  ['/access/permissions'],
  ['/access/acl'],
  ['/admin/datastore'],
  ['/config/datastore'],
  ['/status/datastore-usage'],
  ['/admin/gc'],
  ['/admin/datastore/tank/namespace'],
  [/^\/admin\/datastore\/\w+\/groups$/],
  [/^\/admin\/datastore\/\w+\/snapshots$/],
  ['/admin/verify'],
  ['/admin/prune'],
  ['/admin/sync'],
  ['/tape/backup'],
  ['/nodes/localhost/tasks'],
])('whatever hangs at %s is asked for once in a run, over all its requests and attempts', async (path) => {
  pbs.faults.add({ kind: 'hang', match: { path } })
  const hung = () =>
    pbs.requests
      .filter((request) => {
        const children = request.path.replace('/api2/json', '')
        return typeof path === 'string' ? children === path : path.test(children)
      })
      .map((request) => `${request.path} ${JSON.stringify(request.query)}`)
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await run({ run: '7' })
    const requests = hung()
    expect(requests.length).toBeGreaterThan(0)
    expect([...new Set(requests)]).toEqual(requests)
    if (typeof path === 'string') expect(requests).toHaveLength(1)
  }
})

test('a version that hangs is asked for by the list of servers, and once more by that of sync jobs, in all attempts', async () => {
  pbs.faults.add({ kind: 'hang', match: { path: '/version' } })
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await run({ run: '7' })
    expect(requested('/version')).toBe(2)
  }
})

test('permissions that hang cost a run one timeout, and are asked for again in the next run', async () => {
  const path = '/access/permissions'
  pbs.faults.add({ kind: 'hang', match: { path } })
  for (const id of ['7', '8']) {
    const frames = await run({ run: id })
    expect(ofKind(frames, 'server')).toMatchObject([{ name: 'pbs-a', observed: { status: 'reachable' } }])
    expect(new Set(ofKind(frames, 'failed').map(({ error }) => error.code))).toEqual(new Set(['timeout']))
  }
  expect(requested(path)).toBe(2)
  pbs.faults.clear()
  expect(ended(await run({ run: '9' }), 'failed')).toEqual([])
})

const idOf = async (of: RunningGateway): Promise<number> => {
  const [{ id }] = (await (await of.request('/pbs/endpoints')).json()) as [{ id: number }]
  return id
}

test('a refused token is sent twice and then left alone, until a test succeeds or the endpoint is saved', async () => {
  const refused = () => pbs.faults.add({ kind: 'status', status: 401, body: 'authentication failed' })
  const seen = async (id: string) => {
    const before = pbs.requests.length
    const frames = await run({ run: id })
    return { requests: pbs.requests.length - before, server: ofKind(frames, 'server')[0]?.observed }
  }
  const endpoint = await idOf(gateway)
  refused()
  // One for the version and one for the permissions, whatever the run lists.
  expect((await seen('1')).requests).toBe(2)
  expect((await seen('2')).requests).toBe(2)
  const third = await seen('3')
  expect(third.requests).toBe(0)
  expect(third.server).toMatchObject({
    last_seen_at: null,
    error: { code: 'unauthorized', message: expect.stringMatching(/2 times in a row; it is asked for again after/) },
  })

  pbs.faults.clear()
  expect((await seen('4')).requests).toBe(0)
  const test = await gateway.request('/pbs/endpoints/test', { method: 'POST', json: { id: endpoint } })
  expect(await test.json()).toMatchObject({ error: null })
  expect((await seen('5')).server).toMatchObject({ status: 'reachable', last_seen_at: expect.any(String) })

  refused()
  for (const id of ['6', '7', '8']) await seen(id)
  pbs.faults.clear()
  const saved = await gateway.request(`/pbs/endpoints/${endpoint}`, { method: 'PUT', json: { timeout_seconds: 3 } })
  expect(saved.status).toBe(200)
  expect((await seen('9')).server).toMatchObject({ last_seen_at: expect.any(String) })
})
