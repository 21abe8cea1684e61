import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, ofKind, syncFrames } from './simulated.ts'

let pbs: Simulator
let gateway: RunningGateway

beforeEach(async () => {
  pbs = await startSimulator({ snapshots: 40, failureDelayMs: 0, now: 1_780_358_400 })
  gateway = await startGateway()
  await addEndpoint(gateway, pbs, { timeout_seconds: 1 })
})
afterEach(async () => {
  await gateway.stop()
  await pbs.close()
})

const run = async () => {
  const frames = []
  for (const resource of ['datastores', 'snapshots', 'jobs', 'tasks'])
    frames.push(...(await syncFrames(gateway, resource)))
  return frames
}
const asked = (path: string) => pbs.requests.filter((request) => request.path === `/api2/json${path}`).length

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
    expect(asked(path)).toBe(1)
  },
)

test('datastores that hang are asked for once in a run', async () => {
  pbs.faults.add({ kind: 'hang', match: { path: '/admin/datastore' } })
  const frames = await run()
  expect(ended(frames, 'failed')).toEqual(['datastores timeout', 'datastores timeout', 'jobs gc timeout'])
  expect(ended(frames, 'complete')).toEqual(['jobs verify', 'jobs prune', 'jobs sync', 'jobs tape', 'tasks'])
  expect(asked('/admin/datastore')).toBe(1)
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
  expect(asked(path)).toBe(1)
})

test('an endpoint that is changed is asked again at once', async () => {
  const path = '/status/datastore-usage'
  pbs.faults.add({ kind: 'hang', match: { path }, times: 1 })
  await syncFrames(gateway, 'datastores')
  const [{ id }] = (await (await gateway.request('/pbs/endpoints')).json()) as [{ id: number }]
  await gateway.request(`/pbs/endpoints/${id}`, { method: 'PUT', json: { timeout_seconds: 9 } })
  const frames = await syncFrames(gateway, 'datastores')
  expect(ofKind(frames, 'warning').filter(({ code }) => code === 'state_unavailable')).toEqual([])
  expect(asked(path)).toBe(2)
})
