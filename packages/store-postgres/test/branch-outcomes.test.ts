import type { Branches, ChangeSets, Inventory, InventoryWrites } from '@netbox-pbs/core/ports'
import { change, create, may, remove, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, answer, check, conflictsOf, merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('what a merge did to each entry, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const outcomes = (id: number) =>
    rows<{ id: number; outcome: unknown }>(
      `select id, outcome from branch_snapshots where branch_id = ${id} order by op desc, id`,
    )

  test('is not noted where it is what the entry says', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('plain')
        const { id } = yield* newBranch('plain')
        yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [
              create('snapshot', snapshotFacts(server, '100', may(9))),
              change('snapshot', snapshot(1).id, snapshot(1).facts, { comment: 'source', other_files: [{ a: 1 }] }),
              remove('snapshot', snapshot(0).id, snapshot(0).facts),
            ],
          },
        ])
        yield* merge(id)
        expect((yield* outcomes(id)).map(({ outcome }) => outcome)).toEqual([null, null, null])
      }),
    )
  })

  test('is noted where main, or a reviewer, made it another', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* writesOneByOne
        const { server, snapshots, snapshot } = yield* newFleet('noted', [1, 2, 3, 4, 5])
        const { id } = yield* newBranch('noted')
        const source = (nth: number, values = {}) =>
          change('snapshot', snapshot(nth).id, snapshot(nth).facts, { comment: 'source', ...values })
        yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [
              source(0, { protected: true }),
              source(1),
              source(2),
              source(3),
              remove('snapshot', snapshot(4).id, snapshot(4).facts),
              create('snapshot', snapshotFacts(server, '100', may(9))),
            ],
          },
        ])
        const edit = (nth: number, values: Readonly<Record<string, string | ReadonlyArray<string>>>) =>
          edits.update({ model: 'snapshot', id: snapshot(nth).id, values, actor })
        yield* edit(0, { comment: 'edited' })
        yield* edit(1, { comment: 'edited' })
        yield* edits.remove({ model: 'snapshot', id: snapshot(2).id, actor })
        yield* edit(3, { comment: 'source' })
        yield* edit(4, { tags: ['keep'] })
        const values = { ...snapshotFacts(server, '100', may(9)), owner: '' }
        const [made] = yield* edits.create({ model: 'snapshot', rows: [values], actor })
        yield* check(id)
        const [first, second] = (yield* conflictsOf(id)).map((conflict) => conflict.id)
        yield* answer(id, { choice: 'value', value: 'both' }, { ids: [first ?? 0] })
        yield* answer(id, { choice: 'skip' }, { ids: [second ?? 0] })
        yield* merge(id)
        const [back] = yield* rows<{ id: number }>(
          `select id from snapshots where server_id = ${server} and extract(day from backup_time) = 3`,
        )
        const found = yield* outcomes(id)
        expect(found.map(({ outcome }) => outcome)).toEqual([
          {
            op: 'update',
            before: { comment: 'edited', protected: false },
            after: { comment: 'both', protected: true },
          },
          {},
          { op: 'create', id: back?.id },
          {},
          { op: 'delete', before: { tags: ['keep'] } },
          { op: 'update', id: made, before: { owner: '' }, after: { owner: 'root@pam' } },
        ])
      }),
    )
  })

  test.each([
    ['main', {}],
    ['branch', null],
  ] as const)('of deletions that the guard holds, answered with %s, is %o', async (choice, outcome) => {
    await run(
      Effect.gen(function* () {
        const { snapshots, snapshot } = yield* newFleet(`kept-${choice}`, [1])
        const { id } = yield* newBranch(`kept-${choice}`)
        const changes = [remove('snapshot', snapshot(0).id, snapshot(0).facts)]
        yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes }], { held: 'emptied' })
        yield* check(id)
        yield* answer(id, { choice })
        yield* merge(id)
        expect(yield* outcomes(id)).toEqual([{ id: snapshot(0).id, outcome }])
      }),
    )
  })

  test('below a server that is gone is nothing', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('gone', [1])
        const { id } = yield* newBranch('gone')
        yield* stageOnce(id, snapshots, [
          { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(5)))] },
          {
            model: 'snapshot',
            changes: [change('snapshot', snapshot(0).id, snapshot(0).facts, { comment: 'source' })],
          },
        ])
        yield* (yield* writesOneByOne).remove({ model: 'server', id: server, actor })
        yield* check(id)
        yield* answer(id, { choice: 'skip' })
        yield* merge(id)
        expect((yield* outcomes(id)).map(({ outcome }) => outcome)).toEqual([{}, {}])
      }),
    )
  })
})
