import { noRows, type RowCounts } from '@netbox-pbs/core'
import {
  Branches,
  type BranchFilter,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotOpen,
  Runs,
  ScopeInReview,
} from '@netbox-pbs/core/ports'
import { Effect, Exit, Option } from 'effect'
import { expect, test } from 'vitest'
import { type InventoryUnderTest, newRun, newScope } from './fleet.ts'
import { may } from './landing.ts'
import { branchOf, newBranch, stageOnce } from './stage-scope.ts'

const by = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }
const at = '2026-06-02T00:00:00Z'

const merge = (id: number, commit = true, approval = false) =>
  Effect.flatMap(Branches, (branches) => branches.merge({ id, commit, by, at, approval }))

/**
 * The contract of `Branches` as far as a sync needs it (to open, find, compare, merge and close
 * them), which the fake of sync's tests implements. Conflicts, approvals, edits, rebasing and
 * reverts have two adapters, which store-postgres' own tests compare.
 */
export const branchesContract = ({ run, setToReview }: InventoryUnderTest): void => {
  test('a new branch is open and empty, under an id and a name that no other has', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const runId = yield* newRun
        const request = { name: 'named', kind: 'sync', description: 'why', user: 'ann', runId, review: false } as const
        const branch = yield* branches.create(request)
        expect(branch).toEqual({
          id: expect.any(Number),
          schema_id: expect.stringMatching(/^[a-z0-9]{8}$/),
          name: 'named',
          kind: 'sync',
          status: 'open',
          description: 'why',
          user: 'ann',
          run_id: runId,
          changes: 0,
          conflicts: 0,
          checked: null,
          created: expect.stringMatching(/Z$/),
          last_updated: branch.created,
          merged: null,
          merged_by: '',
          revision: 0,
          review: false,
          reverts: null,
          approved_by: '',
          approved_at: null,
          approved: false,
        })
        expect(yield* branches.get({ id: branch.id })).toEqual(Option.some(branch))
        expect(yield* branches.get({ id: 2 ** 40 })).toEqual(Option.none())
        expect(yield* Effect.flip(branches.create(request))).toEqual(new BranchNameTaken({ name: 'named' }))
      }),
    )
  })

  test.each<[BranchFilter, ReadonlyArray<string>]>([
    [{ search: 'FILTERED' }, ['filtered-b', 'filtered-a']],
    [{ search: '50%' }, ['filtered-b']],
    [{ search: 'filtered_a' }, []],
    [{ search: 'filtered', where: [{ field: 'kind', lookup: 'exact', values: ['operator'] }] }, ['filtered-b']],
    [{ where: [{ field: 'user', lookup: 'exact', values: ['eve', 'unknown'] }] }, ['filtered-b']],
    [{ where: [{ field: 'name', lookup: 'isw', values: ['FILTERED'] }] }, ['filtered-b', 'filtered-a']],
    [
      { search: 'filtered', where: [{ field: 'user', lookup: 'exact', negated: true, values: ['eve'] }] },
      ['filtered-a'],
    ],
    [{ search: 'filtered', where: [{ field: 'merged_time', lookup: 'empty', values: [false] }] }, []],
    [{ search: 'filtered', where: [{ field: 'conflict_count', lookup: 'gt', values: [0] }] }, []],
    [{ search: 'filtered', statuses: ['merged'] }, []],
    [{ names: ['filtered-a', 'filtered'] }, ['filtered-a']],
    [{ where: [{ field: 'schema_id', lookup: 'exact', values: ['none'] }] }, []],
    [{ where: [{ field: 'nothing', lookup: 'exact', values: ['none'] }] }, []],
  ])('are found by %j', async (filter, names) => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const more = { runId: null, review: false }
        const a = { name: 'filtered-a', kind: 'sync', description: '', user: 'ann', ...more } as const
        const b = { name: 'filtered-b', kind: 'operator', description: '50% less', user: 'eve', ...more } as const
        // The first case makes them, the others find them.
        yield* Effect.ignore(Effect.all([branches.create(a), branches.create(b)]))
        const { count, rows } = yield* branches.list({ ...filter, limit: 9, offset: 0 })
        expect([count, rows.map(({ name }) => name)]).toEqual([names.length, names])
        const order = [{ field: 'id', descending: false }]
        const oldest = yield* branches.list({ ...filter, order, limit: 9, offset: 0 })
        expect(oldest.rows.map(({ name }) => name)).toEqual(names.toReversed())
        const paged = yield* branches.list({ ...filter, limit: 1, offset: 1 })
        expect(paged).toEqual({ count, rows: rows.slice(1) })
        for (const found of rows) {
          const where = [{ field: 'schema_id', lookup: 'exact', values: [found.schema_id] }] as const
          expect((yield* branches.list({ where, limit: 9, offset: 0 })).rows).toEqual([found])
        }
      }),
    )
  })

  test('belong to the run that opened them, and to the run that staged into them last', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { scope, adds } = yield* newScope('belonging', [1])
        const [first, second] = [yield* newBranch('belonging'), yield* newBranch('belonging later')]
        const review = yield* branches.create({
          ...{ name: 'belonging to review', kind: 'sync', description: '', user: '', review: true },
          runId: yield* newRun,
        })
        const again = branches.create({ ...review, runId: first.run_id, name: 'belonging again' })
        expect(yield* Effect.flip(again)).toBeInstanceOf(BranchNameTaken)
        const own = (runId: number | null) =>
          Effect.map(branches.list({ stagedBy: runId ?? 0, limit: 9, offset: 0 }), ({ rows }) =>
            rows.map(({ id }) => id),
          )
        expect(yield* branches.ofRun({ runId: first.run_id ?? 0 })).toEqual(Option.some(first))
        expect(yield* branches.ofRun({ runId: 2 ** 40 })).toEqual(Option.none())
        expect(yield* branches.ofRun({ runId: review.run_id ?? 0 })).toEqual(Option.none())
        expect([yield* own(first.run_id), yield* own(review.run_id)]).toEqual([[first.id], [review.id]])
        yield* stageOnce(first, scope, [adds(2)])
        const runId = second.run_id ?? 0
        yield* stageOnce(second, scope, [adds(2)], { runId })
        expect(yield* own(runId)).toEqual([second.id, first.id])
      }),
    )
  })

  test('are ready after a comparison that finds no conflict', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { scope, adds } = yield* newScope('compared', [1])
        const branch = yield* newBranch('compared')
        yield* stageOnce(branch, scope, [adds(2)])
        expect(yield* branches.check({ id: branch.id })).toMatchObject({
          status: 'ready',
          changes: 1,
          conflicts: 0,
          checked: expect.stringMatching(/Z$/),
        })
        expect(yield* Effect.flip(branches.check({ id: 2 ** 40 }))).toEqual(new BranchNotFound({ id: 2 ** 40 }))
      }),
    )
  })

  test('wait for a person, whatever a policy says, when the guard holds deletions of a scope in them', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { scope, lacks, left } = yield* newScope('guarded', [1, 2])
        const { id } = yield* newBranch('guarded')
        yield* stageOnce(yield* branchOf(id), scope, [lacks(1, 2)], { held: 'emptied' })
        expect(yield* branches.check({ id })).toMatchObject({ status: 'in_review', changes: 2, conflicts: 1 })
        const kinds = ['update_update', 'update_delete'] as const
        const resolution = { choice: 'branch' } as const
        expect(yield* branches.resolve({ id, filter: { kinds }, resolution, user: 'overwrite' })).toBe(0)
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        expect(yield* left).toEqual(['1 listed', '2 listed'])
      }),
    )
  })

  test('land in main when they merge; a dry run says what would land, and changes nothing', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, lacks, left } = yield* newScope('merged', [1, 2])
        const { id } = yield* newBranch('merged')
        yield* stageOnce(yield* branchOf(id), scope, [adds(3, 4), lacks(1)])
        const before = yield* (yield* Branches).check({ id })
        const dry = yield* merge(id, false)
        expect(dry).toMatchObject({ counts: { created: 2, updated: 0, deleted: 1 }, skipped: 0 })
        expect(yield* left).toEqual(['1 listed', '2 listed'])
        expect(yield* branchOf(id)).toMatchObject({ status: 'ready', changes: 3, merged: null, id: before.id })

        const { branch, ...effect } = yield* merge(id)
        expect(effect).toEqual({ counts: { created: 2, updated: 0, deleted: 1 }, skipped: 0 })
        expect(branch).toMatchObject({ status: 'merged', merged: at, merged_by: 'ann' })
        expect(yield* branchOf(id)).toEqual(branch)
        expect(yield* left).toEqual(['2 listed', '3 listed', '4 listed'])
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchNotOpen({ id, status: 'merged' }))
        expect(yield* Effect.flip(merge(2 ** 40))).toEqual(new BranchNotFound({ id: 2 ** 40 }))
      }),
    )
  })

  test('that merge at once land once', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, left } = yield* newScope('merged twice', [1])
        const branch = yield* newBranch('merged twice')
        yield* stageOnce(branch, scope, [adds(2)])
        const both = yield* Effect.all([Effect.exit(merge(branch.id)), Effect.exit(merge(branch.id))], {
          concurrency: 'unbounded',
        })
        expect(both.filter(Exit.isSuccess)).toHaveLength(1)
        expect(yield* left).toEqual(['1 listed', '2 listed'])
      }),
    )
  })

  test('merge only when approved, where an approval is asked for', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, left } = yield* newScope('unapproved', [1])
        const branch = yield* newBranch('unapproved')
        yield* stageOnce(branch, scope, [adds(2)])
        expect(yield* Effect.flip(merge(branch.id, true, true))).toEqual(new BranchNotApproved({ id: branch.id }))
        expect(yield* left).toEqual(['1 listed'])
      }),
    )
  })

  test('end without a merge when they are closed, and drop what they hold', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { scope, adds, left } = yield* newScope('closed', [1])
        const branch = yield* newBranch('closed')
        const { id } = branch
        yield* stageOnce(branch, scope, [adds(2)])
        expect(yield* branches.close({ id, status: 'superseded' })).toMatchObject({
          status: 'superseded',
          changes: 0,
          conflicts: 0,
        })
        expect(yield* left).toEqual(['1 listed'])
        const over = new BranchNotOpen({ id, status: 'superseded' })
        expect(yield* Effect.flip(branches.close({ id, status: 'closed' }))).toEqual(over)
        expect(yield* Effect.flip(branches.check({ id }))).toEqual(over)
        expect(yield* Effect.flip(merge(id))).toEqual(over)
        const next = yield* newBranch('closed later')
        expect((yield* stageOnce(next, scope, [adds(2)])).branch).toBe(next.id)
      }),
    )
  })

  test('let a run count what it staged as landed, once all its branches are merged', async () => {
    await run(
      Effect.gen(function* () {
        const runs = yield* Runs
        const { server, scope, adds } = yield* newScope('counted as landed', [1])
        const branch = yield* newBranch('counted as landed')
        const runId = branch.run_id ?? 0
        const result = (counts: RowCounts) =>
          ({ scope, outcome: 'staged', reason: null, counts, started: may(30), ended: may(30) }) as const
        yield* stageOnce(branch, scope, [adds(2)], { runId, record: { serverId: server, result } })
        yield* merge(branch.id)
        expect(Option.getOrThrow(yield* runs.get({ id: runId }))).toMatchObject({
          counts: { ...noRows, created: 1 },
          staged: { created: 0, updated: 0, deleted: 0 },
        })
      }),
    )
  })

  /** Sets a scope to review, by reverting a merge in it unless the adapter has a shorter way. */
  const reverted = (name: string) =>
    Effect.gen(function* () {
      const fleet = yield* newScope(name, [1, 2])
      if (setToReview !== undefined) {
        setToReview(fleet.scope)
        return fleet
      }
      const branches = yield* Branches
      const first = yield* newBranch(`${name} merged`)
      yield* stageOnce(first, fleet.scope, [fleet.adds(9)])
      yield* merge(first.id)
      const inverse = yield* branches.revert({ id: first.id, name: `${name} reverted`, user: 'ann', commit: true })
      yield* merge(inverse.id)
      return fleet
    })

  test('a scope in which a merge was reverted lands without changes only, until the branch with its changes has ended', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { scope, adds, land, left } = yield* reverted('reviewed')
        const inReview = (branch: number | null) => new ScopeInReview({ scope, branch })
        expect(yield* land([])).toEqual(noRows)
        expect(yield* Effect.flip(land([adds(3)]))).toEqual(inReview(null))
        const branch = yield* newBranch('reviewed')
        expect((yield* stageOnce(branch, scope, [adds(3)])).branch).toBe(branch.id)
        expect((yield* branchOf(branch.id)).review).toBe(true)
        expect(yield* Effect.flip(land([adds(3)]))).toEqual(inReview(branch.id))
        expect(yield* left).toEqual(['1 listed', '2 listed'])
        yield* branches.close({ id: branch.id, status: 'closed' })
        expect(yield* land([adds(3)])).toEqual({ ...noRows, created: 1 })
      }),
    )
  })
}
