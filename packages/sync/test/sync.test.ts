import { describe, expect, test } from 'vitest'
import type { FleetServer } from './memory/fleet.ts'
import { MemorySystem, run } from './memory/system.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: {
    tank: { namespaces: { '': { 'vm/101': [1, 2, 3], 'ct/200': [1] }, 'site-a': { 'host/db': [5, 6] } } },
    pond: { namespaces: { '': {} } },
  },
  jobs: { verify: ['v-1'], gc: ['tank', 'pond'] },
}
const pbsB: FleetServer = {
  name: 'pbs-b',
  endpointId: 2,
  datastores: { lake: { namespaces: { '': { 'vm/7': [9] } } } },
}

describe('a sync', () => {
  test('brings a whole fleet into an empty inventory', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA, pbsB]
    const { run: ended } = await run(system.sync())
    expect(ended).toMatchObject({ status: 'completed', error: '' })
    const count = (model: 'server' | 'datastore' | 'namespace' | 'group' | 'snapshot' | 'job') =>
      system.world.all(model).length
    expect([count('server'), count('datastore'), count('namespace'), count('group')]).toEqual([2, 3, 4, 4])
    expect([count('snapshot'), count('job')]).toEqual([7, 3])
    const created = 2 + 3 + 4 + 7 + 3
    expect(ended.counts).toEqual({ created, updated: 0, deleted: 0, unchanged: 0, held_back: 0 })
    expect(system.contacts).toEqual(['pbs-a reachable', 'pbs-b reachable'])
    expect(system.log.open.size).toBe(0)
  })

  test('that finds no change writes no row', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA, pbsB]
    await run(system.sync())
    system.world.writes = 0
    const record = await run(system.sync())
    expect(system.world.writes).toBe(0)
    expect(record.ends).toEqual([])
    expect(record.run).toMatchObject({
      status: 'completed',
      counts: { created: 0, updated: 0, deleted: 0, unchanged: 19 },
    })
  })
})
