import { describe, expect, test } from 'vitest'
import type { FleetDatastore, FleetServer } from './memory/fleet.ts'
import { MemorySystem, run, synced } from './memory/system.ts'

const hours = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, hour) => hour)
const pbsA = (datastores: Readonly<Record<string, FleetDatastore['namespaces']>>): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: Object.fromEntries(Object.entries(datastores).map(([name, namespaces]) => [name, { namespaces }])),
})
const paths = (system: MemorySystem) =>
  system.world.all('namespace').map(({ facts, presence }) => `${String(facts['path'])}: ${presence}`)

describe('a namespace that vanished', () => {
  test('empties its snapshots scope and goes', async () => {
    const system = await synced(pbsA({ tank: { '': {}, a: { 'vm/1': hours(3) } } }))
    system.fleet = [pbsA({ tank: { '': {} } })]
    const record = await run(system.syncTwice())
    expect(record.ends).toEqual(['snapshots of pbs-a/tank/a: landed', 'namespaces of pbs-a/tank: landed'])
    expect(paths(system)).toEqual([': listed'])
    expect(system.world.all('snapshot')).toEqual([])
    expect(system.world.all('group')).toEqual([])
  })

  test('stays as missing while rows in it or below it are held, and goes with them', async () => {
    const system = await synced(pbsA({ tank: { '': {}, a: {}, 'a/b': { 'vm/1': hours(10) }, ab: {} } }))
    system.fleet = [pbsA({ tank: { '': {} } })]
    const record = await run(system.syncTwice())
    expect(record.ends).toEqual([
      'snapshots of pbs-a/tank/a/b: held_back: emptied',
      'namespaces of pbs-a/tank: held_back: children_held',
    ])
    expect(paths(system)).toEqual([': listed', 'a: missing', 'a/b: missing'])
    expect(record.run.counts).toEqual({ created: 0, updated: 0, deleted: 1, unchanged: 3, held_back: 12 })

    // The guard has no setting for an emptied scope: nine rows are left after one edit.
    const [one] = system.world.all('snapshot')
    system.world.remove('snapshot', one?.id ?? -1)
    expect((await run(system.sync())).ends).toEqual([
      'snapshots of pbs-a/tank/a/b: landed',
      'namespaces of pbs-a/tank: landed',
    ])
    expect(paths(system)).toEqual([': listed'])
  })

  test('comes back with its rows', async () => {
    const fleet = pbsA({ tank: { '': {}, a: { 'vm/1': hours(10) } } })
    const system = await synced(fleet)
    system.fleet = [pbsA({ tank: { '': {} } })]
    await run(system.syncTwice())
    system.fleet = [fleet]
    const record = await run(system.sync())
    expect(record.ends).toEqual(['namespaces of pbs-a/tank: landed', 'snapshots of pbs-a/tank/a: landed'])
    expect(paths(system)).toEqual([': listed', 'a: listed'])
    expect(new Set(system.world.all('snapshot').map(({ presence }) => presence))).toEqual(new Set(['listed']))
  })

  test('stays with rows made by a user in it, as if made by a user', async () => {
    const system = await synced(pbsA({ tank: { '': {}, a: { 'vm/1': hours(2) } } }))
    const [one] = system.world.all('snapshot')
    Object.assign(one ?? {}, { presence: 'manual' })
    system.fleet = [pbsA({ tank: { '': {} } })]
    await run(system.syncTwice())
    expect(paths(system)).toEqual([': listed', 'a: manual'])
    expect(system.world.all('snapshot')).toHaveLength(1)
  })

  test('keeps what lies in it when the list that lacks it is held itself', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA({ tank: { '': {}, a: { 'vm/1': hours(3) } } })]
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    system.fleet = [pbsA({ tank: { '': {} } })]
    system.listing = { visibility: 'narrow' }
    const record = await run(system.syncTwice())
    expect(record.ends).toEqual([
      'snapshots of pbs-a/tank/a: held_back: visibility_changed',
      'namespaces of pbs-a/tank: held_back: visibility_changed',
    ])
    expect(system.world.all('snapshot')).toHaveLength(3)
  })
})

describe('a datastore that vanished', () => {
  test('takes its namespaces and snapshots with it, in scopes of their own', async () => {
    const system = await synced(pbsA({ tank: { '': { 'vm/1': [1] }, a: { 'vm/2': [1] } }, pond: { '': {} } }))
    system.fleet = [pbsA({ pond: { '': {} } })]
    const record = await run(system.syncTwice(['datastores']))
    expect(record.ends).toEqual([
      'snapshots of pbs-a/tank/a: landed',
      'snapshots of pbs-a/tank: landed',
      'namespaces of pbs-a/tank: landed',
      'datastores of pbs-a: landed',
    ])
    expect(system.world.all('datastore').map(({ facts }) => facts['name'])).toEqual(['pond'])
    expect(paths(system)).toEqual([': listed'])
    expect(system.world.all('snapshot')).toEqual([])
  })

  test('stays while rows below it are held', async () => {
    const system = await synced(pbsA({ tank: { '': { 'vm/1': hours(10) }, a: { 'vm/2': [1] } }, pond: { '': {} } }))
    system.fleet = [pbsA({ pond: { '': {} } })]
    const record = await run(system.syncTwice())
    expect(record.ends).toEqual([
      'snapshots of pbs-a/tank/a: landed',
      'snapshots of pbs-a/tank: held_back: emptied',
      'namespaces of pbs-a/tank: held_back: children_held',
      'datastores of pbs-a: held_back: children_held',
    ])
    expect(system.world.all('datastore').map(({ facts, presence }) => [facts['name'], presence])).toEqual([
      ['pond', 'listed'],
      ['tank', 'missing'],
    ])
    expect(system.world.all('snapshot')).toHaveLength(10)
  })
})
