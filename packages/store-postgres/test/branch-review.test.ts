import { Branches, type ChangeSets, type Inventory, type InventoryWrites, ScopeInReview } from '@netbox-pbs/core/ports'
import { change, landOnce } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { merge, newBranch, newFleet, revert, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('scopes in which a merge was undone, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const reviewed = (server: number) =>
    rows<{ resource: string }>(`select resource from scopes where server_id = ${server} and review`)

  /** A fleet in which a merged comment was undone, and what its source says again. */
  const undone = (name: string) =>
    Effect.gen(function* () {
      const fleet = yield* newFleet(name)
      const { id: nth, facts } = fleet.snapshot(0)
      const part = { model: 'snapshot', changes: [change('snapshot', nth, facts, { comment: 'source' })] } as const
      const { id } = yield* newBranch(name)
      yield* stageOnce(id, fleet.snapshots, [part])
      yield* merge(id)
      const reverting = yield* revert(id, `undo ${name}`)
      expect(yield* reviewed(fleet.server)).toEqual([])
      yield* merge(reverting.id)
      return { ...fleet, part }
    })

  test('do not land what changes them, and land what does not', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, stores, part } = yield* undone('stops')
        expect(yield* reviewed(server)).toEqual([{ resource: 'snapshots' }])
        expect(yield* Effect.flip(landOnce(snapshots, [part]))).toEqual(
          new ScopeInReview({ scope: snapshots, branch: null }),
        )
        expect(yield* rows(`select comment from snapshots where server_id = ${server} and comment <> ''`)).toEqual([])
        yield* landOnce(snapshots, [])
        yield* landOnce(stores, [])
        expect(yield* reviewed(server)).toEqual([{ resource: 'snapshots' }])
      }),
    )
  })

  test.each(['merge', 'close'] as const)('land again after a %s of the branch that waited for them', async (how) => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { server, snapshots, part } = yield* undone(`again-${how}`)
        const { id } = yield* newBranch(`again-${how} for review`)
        yield* stageOnce(id, snapshots, [part])
        expect(yield* branches.check({ id })).toMatchObject({ status: 'ready', review: true })
        expect(yield* Effect.flip(landOnce(snapshots, [part]))).toMatchObject({ branch: id })
        yield* how === 'merge' ? merge(id) : branches.close({ id, status: 'closed' })
        expect(yield* reviewed(server)).toEqual([])
        yield* landOnce(snapshots, [part])
        expect(yield* rows(`select comment from snapshots where server_id = ${server} and comment <> ''`)).toEqual([
          { comment: 'source' },
        ])
      }),
    )
  })

  test('are not set to review by a dry run', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('dry')
        const { id } = yield* newBranch('dry')
        const changes = [change('snapshot', snapshot(0).id, snapshot(0).facts, { comment: 'source' })]
        yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes }])
        yield* merge(id)
        const reverting = yield* revert(id, 'undo dry')
        yield* merge(reverting.id, false)
        expect(yield* reviewed(server)).toEqual([])
      }),
    )
  })
})
