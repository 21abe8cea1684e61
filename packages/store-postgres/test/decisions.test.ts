import type { LoggedChange } from '@netbox-pbs/core'
import {
  ApprovalNotAllowed,
  Branches,
  BranchInConflict,
  BranchNameTaken,
  BranchNotOpen,
  type ChangeSets,
  Changes,
  HeldDeletionsChanged,
  HeldDeletionsStore,
  type Inventory,
  type InventoryWrites,
} from '@netbox-pbs/core/ports'
import { landOnce, oneByOne, remove, rootOf, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { personsBranch } from './contract/branch-edits.ts'
import { actor, at, check, conflictsOf, newFleet, rows } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { engines } from './engines.ts'

type Ports = Branches | ChangeSets | Changes | InventoryWrites | HeldDeletionsStore | Database | Inventory

let requests = 7_000_000
const by = (user: string) => ({ ...ada(++requests), user })

const reported = ({ action, model, title, before, after, user }: LoggedChange) => ({
  what: `${action} ${model} ${title} by ${user}`,
  before,
  after,
})

describe.each(engines)('the log of decisions on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** The log of some models since an entry, oldest first. */
  const since = (
    afterId: number,
    models: ReadonlyArray<LoggedChange['model']> = ['branch', 'conflict', 'held_deletions'],
  ) =>
    Effect.flatMap(Changes, (changes) =>
      Effect.map(changes.list({ filter: { afterId, models }, limit: 100, offset: 0 }), (page) => page.rows),
    )
  const reached = Effect.map(
    rows<{ id: number }>('select coalesce(max(id), 0) as id from changes'),
    ([row]) => row?.id ?? 0,
  )
  const comment = (id: number, text: string) =>
    Effect.flatMap(writesOneByOne, (writes) =>
      writes.update({ model: 'datastore', id, values: { comment: text }, actor: by('ann') }),
    )

  test('has the life of a branch: opened, renamed, approved, merged, and the branch that undoes it', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('life')
        const branches = yield* Branches
        const start = yield* reached
        const about = { kind: 'operator', description: 'why', user: 'ada', runId: null, review: false } as const
        const opening = by('ada')
        const { id } = yield* branches.create({ ...about, name: 'life', by: opening })
        const writes = oneByOne(branches.overlay({ id }).writes)
        yield* writes.update({ model: 'datastore', id: tank.id, values: { comment: 'in' }, actor: by('ada') })
        yield* branches.update({ id, name: 'renamed', by: by('eve') })
        yield* branches.update({ id, name: 'renamed', by: by('eve') })
        yield* branches.approve({ id, revision: 1, user: 'eve', at, by: by('eve') })
        // An edit after the approval ends it.
        yield* writes.update({ model: 'datastore', id: tank.id, values: { comment: 'late' }, actor: by('ada') })
        yield* branches.approve({ id, revision: 2, user: 'eve', at, by: by('eve') })
        yield* branches.merge({ id, commit: true, by: by('bob'), at, approval: true })
        const into = yield* branches.revert({ id, name: 'undo', user: 'eve', commit: true, by: by('eve') })
        yield* branches.close({ id: into.id, status: 'closed', by: by('ada') })
        const entries = yield* since(start)
        const approved = (revision: number) => ({ approved: true, approved_by: 'eve', approved_time: at, revision })
        const opened = {
          kind: 'operator',
          description: 'why',
          status: 'open',
          review: false,
          reverts: null,
          revision: 0,
        }
        expect(entries.map(reported)).toEqual([
          {
            what: 'create branch life by ada',
            before: null,
            after: { ...opened, name: 'life', merged_time: null, merged_by: '' },
          },
          { what: 'update branch renamed by eve', before: { name: 'life' }, after: { name: 'renamed' } },
          {
            what: 'update branch renamed by eve',
            before: { approved: false, approved_by: '', approved_time: null, revision: 1 },
            after: approved(1),
          },
          {
            what: 'update branch renamed by ada',
            before: { approved: true, revision: 1 },
            after: { approved: false, revision: 2 },
          },
          {
            what: 'update branch renamed by eve',
            before: { approved: false, approved_by: 'eve', approved_time: at, revision: 2 },
            after: approved(2),
          },
          {
            what: 'update branch renamed by bob',
            before: { status: 'open', merged_time: null, merged_by: '' },
            after: { status: 'merged', merged_time: at, merged_by: 'bob' },
          },
          expect.objectContaining({
            what: 'create branch undo by eve',
            after: expect.objectContaining({ reverts: id }),
          }),
          { what: 'update branch undo by ada', before: { status: 'ready' }, after: { status: 'closed' } },
        ])
        expect(entries.map(({ branch, objectId }) => [branch?.id, objectId])).toEqual(
          entries.map((_, nth) => (nth < 6 ? [id, id] : [into.id, into.id])),
        )
        expect(entries[0]).toMatchObject({ requestId: opening.requestId, runId: null })
      }),
    )
  })

  test('has each answer to a conflict with what it was about, what is taken back, and the move onto main that settles it', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('answers')
        const branches = yield* Branches
        const branch = yield* personsBranch('answers')
        for (const { id } of [tank, vault]) yield* branch.update('datastore', id, { comment: 'in the branch' })
        for (const { id } of [tank, vault]) yield* comment(id, 'in main')
        yield* check(branch.id)
        const [first] = yield* conflictsOf(branch.id)
        const start = yield* reached
        const request = { id: branch.id, filter: {}, user: 'bob' }
        const answering = by('bob')
        const choices = [{ choice: 'main' }, { choice: 'main' }, null, { choice: 'value', value: 'both' }] as const
        for (const resolution of choices) yield* branches.resolve({ ...request, resolution, by: answering })
        const entries = yield* since(start)
        const conflict = {
          kind: 'update_update',
          object_type: 'netbox_pbs.pbsdatastore',
          object_id: tank.id,
          field: 'comment',
          base: '',
          main: 'in main',
          branch: 'in the branch',
        }
        const open = { resolution: null, value: null, resolved_by: '', resolved_time: null }
        const answered = { ...open, resolution: 'main', resolved_by: 'bob', resolved_time: expect.any(String) }
        const ofTank = entries.filter(({ title }) => title === 'answers/tank: comment')
        expect(ofTank.map(({ before, after }) => ({ before, after }))).toMatchObject([
          { before: { ...conflict, ...open, revision: 2 }, after: { ...conflict, ...answered, revision: 2 } },
          { before: { ...answered, revision: 4 }, after: { ...open, revision: 4 } },
          { before: open, after: { ...answered, resolution: 'value', value: 'both', revision: 5 } },
        ])
        expect(entries).toHaveLength(6)
        expect(entries).toMatchObject(
          entries.map(() => ({
            serverId: server,
            branch: { id: branch.id },
            requestId: answering.requestId,
            user: 'bob',
          })),
        )
        expect(entries.map(({ objectId }) => objectId)).toContain(first?.id)
        const moving = yield* reached
        yield* branches.sync({ id: branch.id, commit: true, by: by('eve') })
        expect((yield* since(moving)).map(reported)).toEqual([
          { what: 'update branch answers by eve', before: { revision: 6 }, after: { revision: 7 } },
        ])
      }),
    )
  })

  test('has what a run decides of a branch, under the run', async () => {
    await run(
      Effect.gen(function* () {
        yield* newFleet('by-run')
        const branches = yield* Branches
        const start = yield* reached
        const about = { kind: 'sync', description: '', user: '', runId: 6_000_001, review: false } as const
        const { id } = yield* branches.create({ ...about, name: 'by-run' })
        yield* branches.close({ id, status: 'no_changes', by: { runId: 6_000_001 } })
        expect(yield* since(start)).toMatchObject([
          { action: 'create', runId: 6_000_001, requestId: null, branch: { id } },
          { after: { status: 'no_changes' }, runId: 6_000_001, requestId: null, branch: { id } },
        ])
      }),
    )
  })

  test('has who confirmed or kept held deletions, as they were then', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshot } = yield* newFleet('held')
        const removed = [0, 1].map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts))
        yield* landOnce(rootOf('held'), [{ model: 'snapshot', changes: removed }], { held: 'too_many' })
        const sets = yield* HeldDeletionsStore
        const [set] = yield* rows<{ id: number; revision: number }>(
          `select id, revision from held_deletions where server_id = ${server}`,
        )
        const { id = 0, revision = 0 } = set ?? {}
        const start = yield* reached
        yield* sets.decide({ id, revision, state: 'confirmed', ...by('ada') })
        expect(yield* Effect.flip(sets.decide({ id, revision, state: 'confirmed', ...by('eve') }))).toBeInstanceOf(
          HeldDeletionsChanged,
        )
        yield* sets.decide({ id, revision, state: 'dismissed', ...by('eve') })
        const entries = yield* since(start)
        const was = { reason: 'too_many', count: 2, revision }
        const open = { ...was, state: 'waiting', decided_by: null, decided_at: null }
        const decided = (state: string, decided_by: string) => ({
          ...was,
          state,
          decided_by,
          decided_at: expect.any(String),
        })
        expect(entries.map(reported)).toEqual([
          {
            what: 'update held_deletions snapshots of held/tank by ada',
            before: open,
            after: decided('confirmed', 'ada'),
          },
          {
            what: 'update held_deletions snapshots of held/tank by eve',
            before: decided('confirmed', 'ada'),
            after: decided('dismissed', 'eve'),
          },
        ])
        expect(entries).toMatchObject([
          { objectId: id, serverId: server },
          { objectId: id, serverId: server },
        ])
      }),
    )
  })

  test('has nothing of what is refused, of a dry run, or of what changes nothing', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('nothing')
        const branches = yield* Branches
        const branch = yield* personsBranch('nothing')
        const other = yield* personsBranch('nothing-other')
        yield* other.update('datastore', tank.id, { path: '/other' })
        yield* branch.update('datastore', tank.id, { comment: 'in the branch' })
        yield* comment(tank.id, 'in main')
        yield* check(branch.id)
        const { id } = branch
        const start = yield* reached
        const about = { kind: 'operator', description: '', user: 'ada', runId: null, review: false } as const
        const rejected = [
          Effect.flip(branches.create({ ...about, name: 'nothing', by: by('ada') })),
          Effect.flip(branches.update({ id, name: 'nothing-other', by: by('ada') })),
          Effect.flip(branches.approve({ id, revision: 99, user: 'eve', at, by: by('eve') })),
          Effect.flip(branches.merge({ id, commit: true, by: by('ada'), at, approval: false })),
          Effect.flip(branches.sync({ id, commit: true, by: by('ada') })),
        ]
        expect((yield* Effect.all(rejected)).map((error) => error.constructor)).toEqual([
          BranchNameTaken,
          BranchNameTaken,
          ApprovalNotAllowed,
          BranchInConflict,
          BranchInConflict,
        ])
        yield* branches.merge({ id: other.id, commit: false, by: actor, at, approval: false })
        yield* branches.sync({ id: other.id, commit: false, by: by('ada') })
        yield* branches.sync({ id: other.id, commit: true, by: by('ada') })
        yield* branches.resolve({
          id,
          filter: { ids: [0] },
          resolution: { choice: 'main' },
          user: 'bob',
          by: by('bob'),
        })
        yield* branches.resolve({ id, filter: {}, resolution: null, user: 'bob', by: by('bob') })
        yield* branches.update({ id, description: '', by: by('ada') })
        expect((yield* since(start)).map(reported)).toEqual([])
        yield* branches.merge({ id: other.id, commit: true, by: actor, at, approval: false })
        const undone = branches.revert({
          id: other.id,
          name: 'nothing-undo',
          user: 'eve',
          commit: false,
          by: by('eve'),
        })
        const merged = yield* reached
        yield* undone
        expect(yield* Effect.flip(branches.close({ id: other.id, status: 'closed', by: by('eve') }))).toBeInstanceOf(
          BranchNotOpen,
        )
        expect((yield* since(merged)).map(reported)).toEqual([])
      }),
    )
  })
})
