import type { Branches, ChangeSets, Inventory, InventoryWrites } from '@netbox-pbs/core/ports'
import { remove, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Either, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, answer, check, conflictsOf, merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('a question of the guard whose scope moves away, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** A branch that holds the deletions of every snapshot of a server, asked or not. */
  const asking = (name: string) =>
    Effect.gen(function* () {
      const fleet = yield* newFleet(name)
      const { id } = yield* newBranch(name)
      const removed = [0, 1, 2].map((nth) => remove('snapshot', fleet.snapshot(nth).id, fleet.snapshot(nth).facts))
      yield* stageOnce(id, fleet.snapshots, [{ model: 'snapshot', changes: removed }], { held: 'emptied' })
      yield* check(id)
      return { ...fleet, id }
    })
  const snapshotsOf = (server: number) =>
    rows(`select datastore_name, namespace from snapshots where server_id = ${server} order by id`)
  const edit = (model: 'datastore' | 'snapshot', id: number, values: Record<string, string>) =>
    Effect.flatMap(writesOneByOne, (writes) => writes.update({ model, id, values, actor }))

  /** Ways in which rows leave the place that the question names. */
  const moves = {
    'their datastore is renamed': ({ tank }) => edit('datastore', tank.id, { name: 'renamed' }),
    'they are given another datastore': ({ snapshot }) =>
      Effect.forEach([0, 1, 2], (nth) => edit('snapshot', snapshot(nth).id, { datastore_name: 'vault' })),
    'they are given another namespace': ({ snapshot }) =>
      Effect.forEach([0, 1, 2], (nth) => edit('snapshot', snapshot(nth).id, { namespace: 'elsewhere' })),
    'one of them is given another namespace': ({ snapshot }) =>
      edit('snapshot', snapshot(0).id, { namespace: 'elsewhere' }),
  } as const satisfies Record<string, (fleet: Effect.Effect.Success<ReturnType<typeof asking>>) => unknown>

  describe.each(Object.entries(moves))('since %s', (way, move) => {
    test.each(['no answer', 'main'] as const)('never lands its deletions with %s', async (given) => {
      await run(
        Effect.gen(function* () {
          const fleet = yield* asking(`${way}, ${given}`)
          if (given === 'main') yield* answer(fleet.id, { choice: 'main' }, { kinds: ['guard'] })
          yield* move(fleet)
          const before = yield* snapshotsOf(fleet.server)
          for (let time = 0; time < 3; time++) {
            const merged = yield* Effect.either(merge(fleet.id))
            if (given === 'no answer') expect(Either.isLeft(merged)).toBe(true)
            yield* Effect.ignore(check(fleet.id))
          }
          expect(yield* snapshotsOf(fleet.server)).toEqual(before)
        }),
      )
    })
  })

  test('never reaches a server that was added under the same name', async () => {
    await run(
      Effect.gen(function* () {
        const { id, server } = yield* asking('twice')
        yield* answer(id, { choice: 'branch' })
        yield* Effect.flatMap(writesOneByOne, (writes) => writes.remove({ model: 'server', id: server, actor }))
        const again = yield* newFleet('twice')
        yield* check(id)
        expect(yield* conflictsOf(id)).toEqual([])
        yield* Effect.either(merge(id))
        expect(yield* snapshotsOf(again.server)).toHaveLength(3)
      }),
    )
  })
})
