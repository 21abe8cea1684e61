import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, ended, ofKind, syncFrames } from './simulated.ts'

const now = 1_780_358_400
let pbs: Simulator
let gateway: RunningGateway

beforeAll(async () => {
  pbs = await startSimulator({ snapshots: 800, failureDelayMs: 30, now })
})
afterAll(() => pbs.close())
afterEach(() => gateway.stop())

test('every task of a server comes once, also when it is asked one thing at a time', async () => {
  gateway = await startGateway({ concurrency: { perServer: 1 } })
  await addEndpoint(gateway, pbs)
  const frames = await syncFrames(gateway, 'tasks')
  const upids = ofKind(frames, 'task').map(({ upid }) => upid)
  expect(upids.length).toBeGreaterThan(50)
  expect(upids.toSorted()).toEqual(pbs.state.tasks.map(({ upid }) => upid).toSorted())
  expect(ofKind(frames, 'complete')).toMatchObject([{ resource: 'tasks', server: 'pbs-a', count: upids.length }])
  expect(ofKind(frames, 'warning')).toEqual([])
  // The permit that the list held is free again.
  expect(ended(await syncFrames(gateway, 'tasks'), 'complete')).toEqual(['tasks'])
})

test('since narrows the list by the start of the tasks', async () => {
  gateway = await startGateway()
  await addEndpoint(gateway, pbs)
  const since = now - 86_400
  const all = ofKind(await syncFrames(gateway, 'tasks'), 'task')
  const recent = all.filter(({ starttime }) => Date.parse(starttime) / 1000 >= since)
  expect([recent.length > 0, recent.length < all.length]).toEqual([true, true])
  expect(ofKind(await syncFrames(gateway, 'tasks', { since }), 'task')).toEqual(recent)
})

test('without Sys.Audit only the own tasks come, with a warning and another visibility', async () => {
  gateway = await startGateway()
  await addEndpoint(gateway, pbs)
  const [whole] = ofKind(await syncFrames(gateway, 'tasks'), 'complete')
  await gateway.stop()
  gateway = await startGateway()
  await addEndpoint(gateway, pbs, { token: pbs.tokens.backup })
  const frames = await syncFrames(gateway, 'tasks')
  expect([...new Set(ofKind(frames, 'task').map(({ user }) => user))]).toEqual([pbs.tokens.backup.tokenId])
  expect(ofKind(frames, 'warning')).toMatchObject([
    { code: 'privileges_missing', message: expect.stringContaining('Sys.Audit on /system/tasks') },
  ])
  expect(ofKind(frames, 'complete')[0]?.visibility).not.toBe(whole?.visibility)
})

test('a server that is down fails the scope, and the summary counts', async () => {
  gateway = await startGateway()
  await addEndpoint(gateway, pbs)
  const summary = await (await gateway.request('/pbs/sync/tasks')).json()
  expect(summary).toMatchObject({ items: [{ name: 'pbs-a', resource: 'tasks', fetched: pbs.state.tasks.length }] })
  await addEndpoint(gateway, pbs, { name: 'pbs-b', port: 1 })
  expect(ended(await syncFrames(gateway, 'tasks'), 'failed')).toEqual(['tasks unreachable'])
})
