import {
  Branches,
  BranchInConflict,
  type ChangeSets,
  type Inventory,
  type InventoryWrites,
} from '@netbox-pbs/core/ports'
import { change, create, landOnce, may, remove, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { answer, at, check, conflictsOf, merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

const later = '2026-06-03T00:00:00Z'

describe.each(engines)('a branch of a sync whose scope lands while it is open, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** A branch that makes, changes and deletes a snapshot, and changes a datastore. */
  const branched = (name: string) =>
    Effect.gen(function* () {
      const fleet = yield* newFleet(name)
      const { server, snapshots, snapshot, stores, tank } = fleet
      const { id } = yield* newBranch(name)
      const changes = [
        create('snapshot', snapshotFacts(server, '100', may(9))),
        change('snapshot', snapshot(1).id, snapshot(1).facts, { comment: 'source' }),
        remove('snapshot', snapshot(0).id, snapshot(0).facts),
      ]
      yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes }])
      yield* stageOnce(id, stores, [
        { model: 'datastore', changes: [change('datastore', tank.id, tank.facts, { comment: 'source' })] },
      ])
      return { ...fleet, id, changes }
    })
  const days = (server: number) =>
    rows<{ day: number; comment: string }>(
      `select extract(day from backup_time at time zone 'UTC')::int as day, comment from snapshots where server_id = ${server} order by 1`,
    )

  test('holds nothing of it any more when main says the same', async () => {
    await run(
      Effect.gen(function* () {
        const { id, snapshots, changes } = yield* branched('same')
        yield* landOnce(snapshots, [{ model: 'snapshot', changes }], { at: later })
        expect(yield* rows(`select id from branch_snapshots where branch_id = ${id}`)).toEqual([])
        expect(yield* check(id)).toMatchObject({ status: 'ready', changes: 1, conflicts: 0 })
      }),
    )
  })

  test('is closed by the run that took the last of it', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { server, snapshots } = yield* newFleet('last')
        const { id } = yield* newBranch('last')
        const part = { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(9)))] } as const
        yield* stageOnce(id, snapshots, [part])
        yield* landOnce(snapshots, [part], { at: later, runId: 77_000_001 })
        const { rows: found } = yield* branches.list({ stagedBy: 77_000_001, limit: 10, offset: 0 })
        expect(found.map((branch) => [branch.id, branch.changes])).toEqual([[id, 0]])
      }),
    )
  })

  test.each([
    ['main', ['', ''], 3, 0],
    ['branch', ['source', ''], 3, 1],
  ] as const)(
    'asks about what main has newer; answered with %s the comments of its last two are %o',
    async (choice, comments, count, left) => {
      await run(
        Effect.gen(function* () {
          const { id, server, snapshots, snapshot } = yield* branched(`newer-${choice}`)
          const part = {
            model: 'snapshot',
            changes: [change('snapshot', snapshot(2).id, snapshot(2).facts, { protected: true })],
          } as const
          yield* landOnce(snapshots, [part], { at: later })
          expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 1 })
          expect(yield* conflictsOf(id)).toMatchObject([
            { kind: 'scope_regression', model: 'snapshot', objectId: null, scope: snapshots, main: later, branch: at },
          ])
          expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
          expect(yield* answer(id, { choice: 'skip' })).toBe(0)
          yield* answer(id, { choice })
          const merged = yield* merge(id)
          expect(merged.skipped).toBe(choice === 'main' ? 3 : 0)
          const found = yield* days(server)
          expect(found).toHaveLength(count)
          expect(found.filter(({ day }) => day === 2 || day === 3).map(({ comment }) => comment)).toEqual(comments)
          expect(found.filter(({ day }) => day === 9)).toHaveLength(left)
          const outcomes = yield* rows<{ outcome: unknown }>(
            `select outcome from branch_snapshots where branch_id = ${id}`,
          )
          expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(3).fill(choice === 'main' ? {} : null))
          expect(yield* rows(`select comment from datastores where server_id = ${server} and name = 'tank'`)).toEqual([
            { comment: 'source' },
          ])
        }),
      )
    },
  )

  test('asks in the merge itself, and asks again when main lists once more', async () => {
    await run(
      Effect.gen(function* () {
        const { id, snapshots, snapshot } = yield* branched('late')
        expect(yield* check(id)).toMatchObject({ status: 'ready' })
        const protect = (nth: number) => ({
          model: 'snapshot' as const,
          changes: [change('snapshot', snapshot(nth).id, snapshot(nth).facts, { protected: true })],
        })
        yield* landOnce(snapshots, [protect(2)], { at: later })
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        yield* answer(id, { choice: 'branch' })
        yield* landOnce(snapshots, [], { at: '2026-06-04T00:00:00Z' })
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
      }),
    )
  })
})
