import { FastCheck } from 'effect'
import { describe, expect, test } from 'vitest'
import type { FleetServer } from './memory/fleet.ts'
import { MemorySystem, run } from './memory/system.ts'

const hours = FastCheck.uniqueArray(FastCheck.integer({ min: 0, max: 5 }), { maxLength: 3 })
const groups = FastCheck.dictionary(FastCheck.constantFrom('vm/1', 'vm/2', 'ct/1', 'host/db'), hours, { maxKeys: 3 })
const namespaces = FastCheck.dictionary(FastCheck.constantFrom('a', 'a/b', 'ab', 'z'), groups, { maxKeys: 3 })
const datastores = FastCheck.dictionary(
  FastCheck.constantFrom('tank', 'pond', 'lake'),
  FastCheck.record({
    comment: FastCheck.constantFrom('', 'main'),
    namespaces: FastCheck.tuple(groups, namespaces).map(([root, children]) => ({ '': root, ...children })),
  }),
  { maxKeys: 2 },
)
const jobs = FastCheck.dictionary(
  FastCheck.constantFrom('verify', 'gc'),
  FastCheck.uniqueArray(FastCheck.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
)
const fleet: FastCheck.Arbitrary<ReadonlyArray<FleetServer>> = FastCheck.tuple(
  FastCheck.record({ datastores, jobs }),
  FastCheck.record({ datastores, jobs }),
).map(([a, b]) => [
  { name: 'pbs-a', endpointId: 1, ...a },
  { name: 'pbs-b', endpointId: 2, ...b },
])

/** The facts that main has of a fleet, without ids and in a stable order. */
const facts = (system: MemorySystem): unknown =>
  Object.fromEntries(
    Object.entries(system.world.rows).map(([model, rows]) => [
      model,
      [...rows.values()]
        .map((row) => JSON.stringify([row.presence, { ...row.facts, server: nameOf(system, row.facts['server']) }]))
        .sort(),
    ]),
  )
const nameOf = (system: MemorySystem, id: unknown): unknown =>
  typeof id === 'number' ? system.world.rows.server.get(id)?.facts['name'] : undefined

// One list of a run makes no row go. No namespace has ten rows, of which the guard would hold back an emptied one.
describe('whatever a fleet was', () => {
  test('main equals what it is now, after two syncs, and a third one writes nothing', async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(fleet, fleet, async (before, after) => {
        const system = new MemorySystem()
        system.fleet = before
        await run(system.sync())
        system.fleet = after
        await run(system.syncTwice())
        const fresh = new MemorySystem()
        fresh.fleet = after
        await run(fresh.sync())
        expect(facts(system)).toEqual(facts(fresh))
        system.world.writes = 0
        const again = await run(system.sync())
        expect([system.world.writes, again.ends]).toEqual([0, []])
      }),
      { numRuns: 30, endOnFailure: true },
    )
  })
})
