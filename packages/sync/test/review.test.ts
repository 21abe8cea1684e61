import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import type { FleetServer } from './memory/fleet.ts'
import { type MemorySystem, run, synced } from './memory/system.ts'

const pbs = (name: string, hours: ReadonlyArray<number>): FleetServer => ({
  name,
  endpointId: name === 'pbs-a' ? 1 : 2,
  datastores: { tank: { namespaces: { '': { 'vm/101': hours } } } },
})
const resources = ['datastores', 'snapshots', 'jobs'] as const
const snapshotsOf = (server: string) => ({ resource: 'snapshots', server, datastore: 'tank', namespace: '' }) as const
const hoursOf = (system: MemorySystem, server: string) =>
  system.world
    .where('snapshot', { server: system.world.serverId(server) })
    .map(({ facts }) => new Date(String(facts['backup_time'])).getUTCHours())
const states = (system: MemorySystem) =>
  system.branches.all.map(({ branch: { run_id, review, status } }) => ({ run_id, review, status }))
const branches = (system: MemorySystem) => Effect.provide(Branches, system.layer)

/** Two servers, of which both have moved and a merge was undone in the snapshots of the first. */
const undone = async (settings: Partial<MemorySystem['world']['settings']> = {}) => {
  const system = await synced(pbs('pbs-a', [1, 2]), pbs('pbs-b', [1, 2]))
  system.fleet = [pbs('pbs-a', [2, 3]), pbs('pbs-b', [2, 3])]
  system.set(settings)
  system.branches.reviewed.add(system.world.placeOf(snapshotsOf('pbs-a')))
  return system
}

test('a scope in which a merge was undone is staged for review; the others of its run land', async () => {
  const system = await undone()
  const { run: ended, ends } = await run(system.sync(resources))
  expect(ended.status).toBe('completed')
  expect(ends.toSorted()).toEqual(['snapshots of pbs-a/tank: staged', 'snapshots of pbs-b/tank: landed'])
  expect(states(system)).toEqual([{ run_id: ended.id, review: true, status: 'ready' }])
  expect(hoursOf(system, 'pbs-a')).toEqual([1, 2])
  expect(hoursOf(system, 'pbs-b')).toEqual([2, 3])
})

test('later runs refresh the branch that waits, and open none of their own', async () => {
  const system = await undone()
  await run(system.sync(resources))
  system.fleet = [pbs('pbs-a', [3, 4]), pbs('pbs-b', [3, 4])]
  await run(system.sync(resources))
  expect(states(system)).toHaveLength(1)
  expect(system.branches.all[0]?.changes).toBe(4)
  expect(hoursOf(system, 'pbs-b')).toEqual([3, 4])
})

test.each(['merge', 'close'] as const)('after a %s of the branch the scope lands again', async (how) => {
  const system = await undone()
  await run(system.sync(resources))
  const port = await run(branches(system))
  const by = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }
  const merging = port.merge({ id: 1, commit: true, by, at: '2026-05-01T04:00:00Z', approval: false })
  const end = how === 'merge' ? Effect.asVoid(merging) : Effect.asVoid(port.close({ id: 1, status: 'closed' }))
  await run(Effect.orDie(end))
  expect(hoursOf(system, 'pbs-a')).toEqual(how === 'merge' ? [2, 3] : [1, 2])
  system.fleet = [pbs('pbs-a', [3, 4]), pbs('pbs-b', [2, 3])]
  await run(system.sync(resources))
  expect(hoursOf(system, 'pbs-a')).toEqual([3, 4])
})

test('a run that agrees with main opens nothing, and the scope stays set to review', async () => {
  const system = await undone()
  system.fleet = [pbs('pbs-a', [1, 2]), pbs('pbs-b', [1, 2])]
  await run(system.sync(resources))
  expect(states(system)).toEqual([])
  expect(system.branches.reviewed.size).toBe(1)
})

test('with branches asked for, the branch of the run waits instead of merging by itself', async () => {
  const system = await undone({ branching_enabled: true })
  const { run: ended } = await run(system.sync(resources))
  expect(states(system)).toEqual([{ run_id: ended.id, review: false, status: 'ready' }])
  expect(hoursOf(system, 'pbs-a')).toEqual([1, 2])
  expect(hoursOf(system, 'pbs-b')).toEqual([1, 2])
})

test('a new server waits for review where the list of servers does, with branches asked for or not', async () => {
  for (const branching_enabled of [false, true]) {
    const system = await undone({ branching_enabled })
    system.branches.reviewed.add(system.world.placeOf({ resource: 'servers' }))
    system.fleet = [...system.fleet, { name: 'pbs-c', endpointId: 3, datastores: {} }]
    const { ends } = await run(system.sync(['servers']))
    expect(ends).toEqual(['servers: staged'])
    expect(system.world.where('server', { name: 'pbs-c' })).toEqual([])
    expect(states(system)).toMatchObject([{ status: 'ready' }])
  }
})
