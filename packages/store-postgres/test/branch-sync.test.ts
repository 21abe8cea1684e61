import {
  Branches,
  BranchInConflict,
  BranchNotOpen,
  type ChangeSets,
  type Inventory,
  type InventoryWrites,
} from '@netbox-pbs/core/ports'
import { change, create, may, remove, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, answer, check, conflictsOf, merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('moving a branch onto main, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const sync = (id: number, commit = true) => Effect.flatMap(Branches, (branches) => branches.sync({ id, commit }))
  const entries = (id: number) =>
    rows<{ id: number; op: string; touched: ReadonlyArray<string>; base: object; comment: string; tags: unknown }>(
      `select id, op, touched, base, comment, tags from branch_snapshots where branch_id = ${id} order by id`,
    )
  const tag = (branch: number, id: number, tags: ReadonlyArray<string>) =>
    rows(
      `update branch_snapshots set touched = touched || '{tags}', base = base || '{"tags": ["old"]}', tags = '${JSON.stringify(tags)}'
        where branch_id = ${branch} and id = ${id}`,
    )
  const edit = (id: number, values: Readonly<Record<string, string | boolean | ReadonlyArray<string>>>) =>
    Effect.flatMap(writesOneByOne, (edits) => edits.update({ model: 'snapshot', id, values, actor }))

  /**
   * A branch, of a user unless said otherwise, that changes a comment and a protection of each of
   * four snapshots, but deletes the fourth.
   */
  const branched = (name: string, kind: 'sync' | 'operator' = 'operator') =>
    Effect.gen(function* () {
      const fleet = yield* newFleet(name, [1, 2, 3, 4])
      const { id } = yield* newBranch(name, kind)
      const { snapshot } = fleet
      yield* stageOnce(id, fleet.snapshots, [
        {
          model: 'snapshot',
          changes: [
            ...[0, 1, 2].map((nth) =>
              change('snapshot', snapshot(nth).id, snapshot(nth).facts, { comment: 'branch', protected: true }),
            ),
            remove('snapshot', snapshot(3).id, snapshot(3).facts),
          ],
        },
      ])
      return { ...fleet, id }
    })

  test('moves bases, drops what main says too, and keeps what both sides put into a list', async () => {
    await run(
      Effect.gen(function* () {
        const { id, snapshot } = yield* branched('moves')
        yield* edit(snapshot(0).id, { comment: 'branch' })
        yield* edit(snapshot(1).id, { comment: 'branch', protected: true })
        yield* edit(snapshot(2).id, { tags: ['old', 'main'] })
        yield* tag(id, snapshot(2).id, ['branch'])
        const before = (yield* check(id)).revision
        const dry = yield* sync(id, false)
        expect(dry).toMatchObject({ status: 'ready', changes: 3 })
        expect(yield* check(id)).toMatchObject({ changes: 4, revision: before })
        expect(yield* sync(id)).toMatchObject({ status: 'ready', changes: 3, conflicts: 0, revision: before + 1 })
        expect(yield* entries(id)).toMatchObject([
          { id: snapshot(0).id, op: 'update', touched: ['protected'], base: { protected: false } },
          {
            id: snapshot(2).id,
            op: 'update',
            touched: ['tags', 'comment', 'protected'],
            base: { comment: '', protected: false, tags: ['old', 'main'] },
            tags: ['main', 'branch'],
          },
          { id: snapshot(3).id, op: 'delete' },
        ])
        expect(yield* sync(id)).toMatchObject({ revision: before + 1 })
      }),
    )
  })

  test('is refused while a conflict waits, and nothing has moved', async () => {
    await run(
      Effect.gen(function* () {
        const { id, snapshot } = yield* branched('waits')
        yield* edit(snapshot(0).id, { comment: 'main' })
        yield* edit(snapshot(1).id, { comment: 'branch' })
        const before = yield* entries(id)
        expect(yield* Effect.flip(sync(id, false))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        expect(yield* conflictsOf(id)).toEqual([])
        expect(yield* Effect.flip(sync(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        expect(yield* entries(id)).toEqual(before)
        expect(yield* conflictsOf(id)).toMatchObject([{ objectId: snapshot(0).id, field: 'comment' }])
        const { id: merged } = yield* newBranch('waits ended')
        yield* merge(merged)
        expect(yield* Effect.flip(sync(merged))).toEqual(new BranchNotOpen({ id: merged, status: 'merged' }))
      }),
    )
  })

  test('settles answers in what the branch holds', async () => {
    await run(
      Effect.gen(function* () {
        const { id, snapshot } = yield* branched('answers')
        for (const nth of [0, 1, 2]) yield* edit(snapshot(nth).id, { comment: `main ${nth}` })
        yield* edit(snapshot(3).id, { comment: 'main 3' })
        yield* check(id)
        const found = yield* conflictsOf(id)
        const of = (nth: number) => found.flatMap((one) => (one.objectId === snapshot(nth).id ? [one.id] : []))
        yield* answer(id, { choice: 'main' }, { ids: of(0) })
        yield* answer(id, { choice: 'value', value: 'both' }, { ids: of(1) })
        yield* answer(id, { choice: 'skip' }, { ids: of(2) })
        yield* answer(id, { choice: 'branch' }, { ids: of(3) })
        expect(yield* sync(id)).toMatchObject({ status: 'ready', changes: 3, conflicts: 0 })
        expect(yield* entries(id)).toMatchObject([
          { id: snapshot(0).id, touched: ['protected'], base: { protected: false } },
          {
            id: snapshot(1).id,
            touched: ['comment', 'protected'],
            base: { comment: 'main 1', protected: false },
            comment: 'both',
          },
          { id: snapshot(3).id, op: 'delete', comment: 'main 3' },
        ])
        expect(yield* conflictsOf(id)).toEqual([])
        yield* edit(snapshot(1).id, { comment: 'again' })
        expect(yield* check(id)).toMatchObject({ conflicts: 1 })
      }),
    )
  })

  test('takes over a row that main has made since, and brings back one that it has lost', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* writesOneByOne
        const { server, snapshots, snapshot } = yield* newFleet('made since', [1])
        const { id } = yield* newBranch('made since', 'operator')
        const lost = snapshot(0)
        yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [
              create('snapshot', snapshotFacts(server, '100', may(9), { comment: 'branch' })),
              change('snapshot', lost.id, lost.facts, { comment: 'branch' }),
            ],
          },
        ])
        const [made] = yield* edits.create({ model: 'snapshot', rows: [snapshotFacts(server, '100', may(9))], actor })
        yield* edits.remove({ model: 'snapshot', id: lost.id, actor })
        yield* check(id)
        yield* answer(id, { choice: 'branch' })
        expect(yield* sync(id)).toMatchObject({ status: 'ready', changes: 2, conflicts: 0 })
        expect(yield* entries(id)).toMatchObject([
          { id: made, op: 'update', touched: ['comment'], base: { comment: '' }, comment: 'branch' },
          { op: 'create', touched: [], base: {}, comment: 'branch' },
        ])
        expect((yield* entries(id)).map((entry) => entry.id)).not.toContain(lost.id)
      }),
    )
  })

  test.each([
    [{ choice: 'main' }, 'main', true],
    [{ choice: 'value', value: 'both' }, 'both', true],
    [{ choice: 'branch' }, 'branch', false],
  ] as const)(
    'of a run keeps what was decided against its source: %o, refreshed and merged, is %s',
    async (resolution, comment, pinned) => {
      await run(
        Effect.gen(function* () {
          const { id, snapshots, snapshot } = yield* branched(`pinned-${resolution.choice}`, 'sync')
          yield* edit(snapshot(0).id, { comment: 'main' })
          yield* check(id)
          yield* answer(id, resolution)
          expect(yield* sync(id)).toMatchObject({ status: 'ready', conflicts: 0 })
          // The source says the same again.
          const now = { ...snapshot(0).facts, comment: 'main' }
          yield* stageOnce(id, snapshots, [
            {
              model: 'snapshot',
              changes: [change('snapshot', snapshot(0).id, now, { comment: 'branch', protected: true })],
            },
          ])
          expect(yield* check(id)).toMatchObject({ status: 'ready', conflicts: 0 })
          yield* merge(id)
          expect(yield* rows(`select comment, overrides from snapshots where id = ${snapshot(0).id}`)).toEqual([
            { comment, overrides: pinned ? { comment: 'branch' } : null },
          ])
        }),
      )
    },
  )
})
