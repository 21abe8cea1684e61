import { finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemEngines } from './support/homes.ts'
import { expectInventory } from './support/inventory.ts'
import { allRows, connect, request, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

/** Tasks are compared with the time of the last full list, so the fleet lives in the present. */
const now = Math.floor(Date.now() / 1000)
const day = 86_400

describe.each(systemEngines)('light runs from PBS to REST on $engine', ({ home }) => {
  let pbs: Simulator
  let running: RunningSystem
  let store: string
  const ns = 'guests'
  const guests = Array.from({ length: 20 }, (_, index) => `${100 + index}`)
  const groupAt = (backupId: string) => ({ store, ns, backupType: 'vm', backupId })

  beforeAll(async () => {
    pbs = await startSimulator({ failureDelayMs: 0, snapshots: 200, name: 'pbs-a', seed: 7, now: now - 3600 })
    store = pbs.state.datastores[0]?.name ?? ''
    pbs.addNamespace(store, ns)
    for (const guest of guests) {
      for (let days = 1; days <= 10; days++) pbs.addSnapshot(groupAt(guest), finishedSnapshot(now - days * day))
    }
    running = await startSystem(await home())
    await connect(running, pbs)
    expect((await syncAndWait(running)).status.value).not.toBe('failed')
  })
  afterAll(async () => {
    await running.stop()
    await pbs.close()
  })

  /** A light run, and what it asked of the namespace: `groups`, or `snapshots` of a guest or of all. */
  const light = async () => {
    pbs.discardRequests()
    const run = await syncAndWait(running, { mode: 'light' })
    const asked = pbs.requests
      .filter(({ query }) => query['ns'] === ns)
      .map(({ path, query }) => `${path.split('/').at(-1)} ${query['backup-id'] ?? ''}`.trim())
    return { run, asked }
  }
  const namespaceRow = async () =>
    (await allRows(running, 'namespaces', '&server=pbs-a')).find(({ path }) => path === ns)

  test('ask once for the groups of a namespace in which nothing has changed, and land nothing', async () => {
    const before = await namespaceRow()
    const { run, asked } = await light()
    expect(asked).toEqual(['groups'])
    expect(run).toMatchObject({ mode: { value: 'light' }, counts: { created: 0, updated: 0, deleted: 0 } })
    const after = await namespaceRow()
    expect(after).toMatchObject({ last_full_at: before?.['last_full_at'], last_light_at: expect.any(String) })
    await expectInventory(running, [pbs.state])
  })

  test('read the groups that have changed, and only those', async () => {
    pbs.addSnapshot(groupAt('103'), finishedSnapshot(now - 60))
    pbs.pruneGroup(groupAt('105'), 4)
    pbs.addSnapshot(groupAt('new'), finishedSnapshot(now - 30))
    const { run, asked } = await light()
    expect(asked.toSorted()).toEqual(['groups', 'snapshots 103', 'snapshots 105', 'snapshots new'])
    expect(run.counts).toMatchObject({ created: 2, deleted: 6 })
    await expectInventory(running, [pbs.state])
  })

  test('know a verification by its task', async () => {
    const group = pbs.state.datastores[0]?.namespaces.find(({ path }) => path === ns)?.groups[0]
    const upid = `UPID:pbs-a:000003F2:00001A2B:0000FFFF:${now.toString(16).toUpperCase()}:verificationjob:${store}\\x3av-daily:root@pam:`
    for (const snapshot of group?.snapshots ?? []) snapshot.verification = { upid, state: 'failed' }
    expect((await light()).asked).toEqual(['groups'])
    pbs.state.tasks.push({ upid, status: 'OK', endtime: Math.floor(Date.now() / 1000) })
    const { run, asked } = await light()
    expect(asked).toEqual(['groups', 'snapshots'])
    expect(run.counts.updated).toBeGreaterThanOrEqual(10)
    await expectInventory(running, [pbs.state])
  })

  test('can be asked for by name only', async () => {
    const { status, json } = await request(running, 'POST', '/api/plugins/pbs/sync-runs/', { mode: 'quick' })
    expect([status, json]).toEqual([400, { mode: ['quick is not one of full, light.'] }])
  })
})
