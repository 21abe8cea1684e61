import { describe, expect, test } from 'vitest'
import type { FleetServer } from './memory/fleet.ts'
import { cut, MemorySystem, run, synced } from './memory/system.ts'

const hours = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, hour) => hour)

/** A server whose datastore `pond` and namespace `tank/a` may be gone. */
const pbsA = ({ without = '', rows = 2 } = {}): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: {
    ...(without === 'datastore' ? {} : { pond: { namespaces: { '': { 'vm/9': [1] }, p: { 'vm/8': hours(rows) } } } }),
    tank: { namespaces: { '': { 'vm/1': [1] }, ...(without === 'namespace' ? {} : { a: { 'vm/3': hours(rows) } }) } },
  },
})

const things = [
  ['datastore', { name: 'pond' }, { datastore_name: 'pond' }, 'pbs-a/pond/p'],
  ['namespace', { path: 'a' }, { namespace: 'a' }, 'pbs-a/tank/a'],
] as const

const count = (system: MemorySystem, below: object): number =>
  (['namespace', 'group', 'snapshot'] as const).reduce(
    (sum, model) => sum + system.world.where(model, below as Record<string, string>).length,
    0,
  )

describe.each(things)('rows below a %s that a user deleted and PBS lost', (model, facts, below, place) => {
  const deleteRow = (system: MemorySystem): void => {
    const [row] = system.world.where(model, facts)
    system.world.remove(model, row?.id ?? -1)
  }

  test('stay after the first complete list, and go with that of the next run', async () => {
    const system = await synced(pbsA())
    deleteRow(system)
    const before = count(system, below)
    expect(before).toBeGreaterThan(1)
    system.fleet = [pbsA({ without: model })]
    const first = await run(system.sync())
    expect(first.run).toMatchObject({ status: 'completed', counts: { deleted: 0, held_back: 0 } })
    expect(count(system, below)).toBe(before)
    const second = await run(system.sync())
    expect(second.run).toMatchObject({ status: 'completed', counts: { held_back: 0 } })
    expect(count(system, below)).toBe(0)
    expect(system.world.where('snapshot', { datastore_name: 'tank', namespace: '' })).toHaveLength(1)
    system.world.writes = 0
    await run(system.sync())
    expect(system.world.writes).toBe(0)
  })

  test('stay, and are no longer missing, when PBS has it again', async () => {
    const system = await synced(pbsA())
    deleteRow(system)
    const before = count(system, below)
    system.fleet = [pbsA({ without: model })]
    await run(system.sync())
    system.fleet = [pbsA()]
    await run(system.sync())
    const all = Object.values(system.world.rows).flatMap((rows) => [...rows.values()])
    expect(all.filter(({ presence }) => presence !== 'listed')).toEqual([])
    expect(count(system, below)).toBe(before)
    expect(system.world.where(model, facts)).toHaveLength(1)
  })

  test('are held back when there are many', async () => {
    const system = await synced(pbsA({ rows: 12 }))
    deleteRow(system)
    system.fleet = [pbsA({ without: model, rows: 12 })]
    const second = await run(system.syncTwice())
    expect(second.ends).toContain(`snapshots of ${place}: held_back: emptied`)
    expect(second.run.status).toBe('incomplete')
    expect(system.world.where('snapshot', below).filter(({ presence }) => presence === 'missing')).toHaveLength(12)
  })

  test('are held back when the list that lacks it sees less than the one before', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA()]
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    deleteRow(system)
    system.fleet = [pbsA({ without: model })]
    system.listing = { visibility: 'narrow' }
    const second = await run(system.syncTwice())
    expect(second.ends).toContain(`snapshots of ${place}: held_back: visibility_changed`)
    // Under the old visibility they go, and nothing waits.
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    expect(count(system, below)).toBe(0)
    expect(system.world.held.size).toBe(0)
  })

  test('stay while no list is complete, or some of its rows could not be read', async () => {
    const system = await synced(pbsA())
    deleteRow(system)
    const before = count(system, below)
    system.fleet = [pbsA({ without: model })]
    const { frames } = system
    system.frames = () => [cut(false)]
    await run(system.syncTwice())
    system.frames = frames
    system.listing = { leftOut: () => 1 }
    const second = await run(system.syncTwice())
    expect(second.run.status).toBe('incomplete')
    expect(count(system, below)).toBe(before)
  })

  test('go though a user made a row of that name again', async () => {
    const system = await synced(pbsA())
    const [row] = system.world.where(model, facts)
    Object.assign(row ?? {}, { presence: 'manual' })
    system.fleet = [pbsA({ without: model })]
    await run(system.syncTwice())
    expect(count(system, below)).toBe(0)
    expect(system.world.where(model, facts)).toHaveLength(1)
  })

  test('stay when a user made them', async () => {
    const system = await synced(pbsA())
    for (const kind of ['namespace', 'group', 'snapshot'] as const)
      for (const row of system.world.where(kind, below as Record<string, string>))
        Object.assign(row, { presence: 'manual' })
    deleteRow(system)
    const before = count(system, below)
    system.fleet = [pbsA({ without: model })]
    system.world.writes = 0
    await run(system.syncTwice())
    expect(count(system, below)).toBe(before)
    expect(system.world.writes).toBe(0)
  })
})
