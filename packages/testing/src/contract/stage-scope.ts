import { type Branch, naturalKey, neverContacted, noRows, type RowCounts, type Scope } from '@netbox-pbs/core'
import {
  Branches,
  BranchNotOpen,
  ChangeSetClosed,
  ChangeSets,
  Inventory,
  type Landing,
  Runs,
  ServerRenamed,
  WaitingChangesGone,
} from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'
import {
  addSnapshot,
  type InventoryUnderTest,
  newRun,
  newScope,
  newServer,
  removeServer,
  renameServer,
} from './fleet.ts'
import { appendAll, change, collect, create, may, openFor, type Part, rootOf, serverFacts } from './landing.ts'

/** An open branch of a run of its own. */
export const newBranch = (name: string) =>
  Effect.gen(function* () {
    const branches = yield* Branches
    const runId = yield* newRun
    return yield* branches.create({ name, kind: 'sync', description: '', user: '', runId, review: false })
  })

/** A branch as it is now. */
export const branchOf = (id: number) =>
  Effect.flatMap(Branches, (branches) => Effect.map(branches.get({ id }), Option.getOrThrow))

/** Opens a change set of a run of its own, appends the parts and stages the scope in a branch. */
export const stageOnce = (
  { id: branch }: Branch,
  scope: Scope,
  parts: ReadonlyArray<Part>,
  more: Partial<Landing> = {},
) =>
  Effect.gen(function* () {
    const changeSets = yield* ChangeSets
    const runId = more.runId ?? (yield* newRun)
    const changeSet = yield* openFor(runId, scope)
    yield* appendAll(changeSet, scope, parts)
    const staged = yield* changeSets.stage({
      ...{ changeSet, scope, runId, branch, at: '2026-06-02T00:00:00Z', visibility: 'wide' },
      ...{ held: null, listed: true, record: null, ...more },
    })
    yield* changeSets.close({ changeSet })
    return staged
  })

/** The groups of a server's root that wait in a branch. */
const waiting = (serverId: number) =>
  Effect.flatMap(Branches, (branches) =>
    collect(branches.waitingGroups({ serverId, datastore: 'tank', namespace: '' })),
  )

/** The contract of `ChangeSets` about scopes that wait in a branch. */
export const stagingContract = ({ run }: InventoryUnderTest): void => {
  test('moves the changes of a scope into a branch, and leaves main as it is', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, group, groupId, adds, lacks, left, state } = yield* newScope('staged', [1, 2])
        const branch = yield* newBranch('staged')
        const before = yield* state
        const owner: Part = { model: 'group', changes: [change('group', groupId, group, { owner: 'other@pbs' })] }
        expect(yield* stageOnce(branch, scope, [adds(3, 4), lacks(1), owner])).toEqual({
          branch: branch.id,
          counts: { ...noRows, created: 2, deleted: 1 },
        })
        expect(yield* left).toEqual(['1 listed', '2 listed'])
        expect(yield* state).toEqual(before)
        expect((yield* branchOf(branch.id)).changes).toBe(4)
      }),
    )
  })

  test('refreshes the open branch that covers the scope, and drops what the run would no longer change', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, lacks, left } = yield* newScope('refreshed', [1, 2])
        const [first, second] = [yield* newBranch('refreshed'), yield* newBranch('refreshed later')]
        yield* stageOnce(first, scope, [adds(3), lacks(1)])
        expect(yield* stageOnce(second, scope, [adds(3)])).toEqual({
          branch: first.id,
          counts: { ...noRows, created: 1 },
        })
        expect([(yield* branchOf(first.id)).changes, (yield* branchOf(second.id)).changes]).toEqual([1, 0])
        expect(yield* left).toEqual(['1 listed', '2 listed'])
      }),
    )
  })

  test('needs no branch for a scope without changes, and takes what it held of it out of the branch that covers it', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, state } = yield* newScope('agreed', [1])
        const [first, second] = [yield* newBranch('agreed'), yield* newBranch('agreed later')]
        yield* stageOnce(first, scope, [adds(2)])
        expect(yield* stageOnce(second, scope, [], { at: '2026-06-05T00:00:00Z' })).toEqual({
          branch: null,
          counts: noRows,
        })
        expect((yield* branchOf(first.id)).changes).toBe(0)
        expect((yield* state).lastCompleteAt).toBe('2026-06-05T00:00:00Z')
      }),
    )
  })

  test('stages a held scope whole, and holds nothing in main', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, lacks, left, state } = yield* newScope('held whole', [1, 2])
        const branch = yield* newBranch('held whole')
        const more = { held: 'too_many', visibility: 'narrow' } as const
        expect(yield* stageOnce(branch, scope, [adds(3), lacks(1)], more)).toEqual({
          branch: branch.id,
          counts: { ...noRows, created: 1, deleted: 1 },
        })
        expect(yield* left).toEqual(['1 listed', '2 listed'])
        expect(yield* state).toMatchObject({ visibility: 'wide', held: 0, set: null })
      }),
    )
  })

  test('stages no deletion when rows were left out of the list', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, adds, lacks, state } = yield* newScope('staged in part', [1, 2])
        const branch = yield* newBranch('staged in part')
        const before = yield* state
        expect(yield* stageOnce(branch, scope, [lacks(1)], { leftOut: 1 })).toEqual({ branch: null, counts: noRows })
        expect(yield* state).toEqual(before)
        expect(yield* stageOnce(branch, scope, [adds(3), lacks(1)], { leftOut: 1 })).toEqual({
          branch: branch.id,
          counts: { ...noRows, created: 1 },
        })
      }),
    )
  })

  test('lands observations and notes absent rows in main, though the changes wait', async () => {
    await run(
      Effect.gen(function* () {
        const inventory = yield* Inventory
        const id = yield* newServer('observed')
        const facts = serverFacts('observed')
        const health = { ...neverContacted, status: 'reachable', last_seen_at: '2026-06-02T00:00:00Z' }
        const branch = yield* newBranch('observed')
        const moved = change('server', id, facts, { host: 'moved.example.com' })
        const observed = [{ key: naturalKey('server', facts), values: health }]
        expect(
          yield* stageOnce(branch, { resource: 'servers' }, [{ model: 'server', changes: [moved], observed }]),
        ).toEqual({ branch: branch.id, counts: { ...noRows, updated: 1 } })
        expect(Option.getOrThrow(yield* inventory.server({ id }))).toMatchObject({ facts, health })
        yield* (yield* Branches).close({ id: branch.id, status: 'closed' })

        const { scope, groupId, adds, left } = yield* newScope('unseen', [1])
        const unseen = yield* newBranch('unseen')
        const noted: Part = { model: 'group', changes: [], sightings: { noted: [groupId], returned: [] } }
        yield* stageOnce(unseen, scope, [adds(2), noted])
        expect(yield* left).toEqual(['1 absent'])
      }),
    )
  })

  test('retains what waits of a group, as long as nothing of it changes', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, group, adds, lacks, left, frame } = yield* newScope('retained', [1, 2])
        const [first, second] = [yield* newBranch('retained'), yield* newBranch('retained later')]
        const key = naturalKey('group', group)
        const owner: Part = {
          model: 'group',
          changes: [create('group', { ...group, backup_id: '200' })],
          digests: [{ key: naturalKey('group', { ...group, backup_id: '200' }), digest: 'new', listed: 0 }],
        }
        expect(yield* waiting(server)).toEqual([])
        yield* stageOnce(first, scope, [adds(3), frame('second', 2), lacks(1), owner])
        const of100 = {
          ...{ branch: first.id, key, digest: 'second', listed: 2, changes: 2 },
          snapshots: { created: 1, updated: 0, deleted: 1 },
        }
        const of200 = {
          ...{ branch: first.id, key: naturalKey('group', { ...group, backup_id: '200' }), digest: 'new', listed: 0 },
          ...{ changes: 1, snapshots: { created: 0, updated: 0, deleted: 0 } },
        }
        expect(yield* waiting(server)).toEqual([of100, of200])

        const retained: Part = { model: 'group', changes: [], retained: { branch: first.id, keys: [key] } }
        expect(yield* stageOnce(second, scope, [retained])).toEqual({
          branch: first.id,
          counts: { ...noRows, created: 1, deleted: 1 },
        })
        // The source has lost the group that was neither listed nor retained.
        expect((yield* branchOf(first.id)).changes).toBe(2)
        expect(yield* waiting(server)).toEqual([of100])
        expect(yield* left).toEqual(['1 listed', '2 listed'])

        yield* stageOnce(second, scope, [adds(3), frame('third', 3)])
        expect((yield* branchOf(first.id)).changes).toBe(1)
        expect(yield* waiting(server)).toMatchObject([{ digest: 'third', listed: 3, changes: 1 }])
        yield* stageOnce(second, scope, [])
        expect(yield* waiting(server)).toEqual([])
      }),
    )
  })

  test('a group that main has changed since, that has missing rows or was read in part does not count as waiting', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, facts, group, groupId, adds, lacks, frame, land } = yield* newScope(
          'waiting groups',
          [1, 2],
        )
        const branch = yield* newBranch('waiting groups')
        const stage = (more: Partial<Landing> = {}) => stageOnce(branch, scope, [adds(3), frame('second', 3)], more)
        const digests = Effect.map(waiting(server), (groups) => groups.map(({ digest }) => digest))
        yield* stage({ leftOut: 1 })
        expect(yield* digests).toEqual([])
        yield* stage()
        expect(yield* digests).toEqual(['second'])

        yield* addSnapshot(facts(8))
        expect(yield* digests).toEqual([])
        yield* stage()
        expect(yield* digests).toEqual(['second'])

        yield* land([{ model: 'group', changes: [change('group', groupId, group, { comment: 'landed' })] }])
        expect(yield* digests).toEqual([])
        yield* stage()
        expect(yield* digests).toEqual(['second'])

        yield* land([lacks(1)], { held: 'too_many' })
        expect(yield* digests).toEqual([])
        yield* stage()
        expect(yield* digests).toEqual([])
      }),
    )
  })

  test('stages nothing that relies on a branch that has ended', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, group, adds, frame, left } = yield* newScope('ended first', [1])
        const [first, second] = [yield* newBranch('ended first'), yield* newBranch('ended later')]
        yield* stageOnce(first, scope, [adds(2), frame('second', 2)])
        yield* (yield* Branches).close({ id: first.id, status: 'closed' })
        const keys = [naturalKey('group', group)]
        const retained: Part = { model: 'group', changes: [], retained: { branch: first.id, keys } }
        expect(yield* Effect.flip(stageOnce(second, scope, [retained, adds(3)]))).toEqual(
          new WaitingChangesGone({ branch: first.id, scope }),
        )
        expect((yield* branchOf(second.id)).changes).toBe(0)
        expect(yield* left).toEqual(['1 listed'])
      }),
    )
  })

  test('stages nothing in a branch that has ended, nor what was read under an old name, nor for a closed change set', async () => {
    await run(
      Effect.gen(function* () {
        const [branches, changeSets] = [yield* Branches, yield* ChangeSets]
        const { server, scope, adds } = yield* newScope('refused', [1])
        const [over, open] = [yield* newBranch('refused'), yield* newBranch('refused later')]
        yield* branches.close({ id: over.id, status: 'superseded' })
        expect(yield* Effect.flip(stageOnce(over, scope, [adds(2)]))).toEqual(
          new BranchNotOpen({ id: over.id, status: 'superseded' }),
        )
        const runId = yield* newRun
        const changeSet = yield* openFor(runId, scope)
        const staging = {
          ...{ changeSet, scope, runId, branch: open.id, at: may(30), visibility: null },
          ...{ held: null, listed: true, record: null },
        }
        yield* renameServer(server, 'accepted')
        expect(yield* Effect.flip(changeSets.stage(staging))).toEqual(
          new ServerRenamed({ serverId: server, before: 'refused', after: 'accepted' }),
        )
        yield* removeServer(server)
        const closed = new ChangeSetClosed({ changeSet })
        expect(yield* Effect.flip(changeSets.stage({ ...staging, scope: rootOf('accepted') }))).toEqual(closed)
        yield* changeSets.close({ changeSet })
        expect(yield* Effect.flip(changeSets.stage(staging))).toEqual(closed)
        expect((yield* branchOf(open.id)).changes).toBe(0)
      }),
    )
  })

  test('gives the run the record of a staged scope, and the run counts what waits apart from what landed', async () => {
    await run(
      Effect.gen(function* () {
        const runs = yield* Runs
        const { server, scope, adds, lacks } = yield* newScope('staged record', [1])
        const branch = yield* newBranch('staged record')
        const runId = yield* newRun
        const result = (counts: RowCounts) =>
          ({ scope, outcome: 'staged', reason: null, counts, started: may(30), ended: may(30) }) as const
        yield* stageOnce(branch, scope, [adds(2, 3), lacks(1)], { runId, record: { serverId: server, result } })
        expect((yield* runs.scopes({ id: runId, limit: 10, offset: 0 })).rows).toEqual([
          result({ ...noRows, created: 2, deleted: 1 }),
        ])
        expect(Option.getOrThrow(yield* runs.get({ id: runId }))).toMatchObject({
          counts: noRows,
          staged: { created: 2, updated: 0, deleted: 1 },
        })
      }),
    )
  })
}
