import {
  Branches,
  BranchNameTaken,
  BranchNotFound,
  BranchNotMerged,
  type ChangeSets,
  type Inventory,
  type InventoryWrites,
} from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  landOnce,
  may,
  remove,
  serverFacts,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, conflictsOf, merge, newBranch, newFleet, revert, rows, stageOnce } from './contract/branching.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

describe.each(engines)('reverting a merge on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const main = (server: number) =>
    rows<{ id: number; comment: string; day: number; tags: ReadonlyArray<string>; presence: string }>(
      `select id, comment, extract(day from backup_time at time zone 'UTC')::int as day, tags, presence
        from snapshots where server_id = ${server} order by backup_time`,
    )

  /** A merged branch that has made a snapshot of day 9, changed the second and deleted the first. */
  const mergedFleet = (name: string) =>
    Effect.gen(function* () {
      const fleet = yield* newFleet(name)
      const { server, snapshots, snapshot } = fleet
      const before = yield* main(server)
      const { id } = yield* newBranch(name)
      yield* stageOnce(id, snapshots, [
        {
          model: 'snapshot',
          changes: [
            create('snapshot', snapshotFacts(server, '100', may(9))),
            change('snapshot', snapshot(1).id, snapshot(1).facts, { comment: 'source' }),
            remove('snapshot', snapshot(0).id, snapshot(0).facts),
          ],
        },
      ])
      yield* merge(id)
      return { ...fleet, id, before }
    })

  test('opens a branch of inverse changes, compared with main; a dry run leaves nothing', async () => {
    await run(
      Effect.gen(function* () {
        const { server, id, snapshot } = yield* mergedFleet('inverse')
        const merged = yield* main(server)
        const dry = yield* revert(id, 'undo inverse', false)
        expect(dry).toMatchObject({ kind: 'revert', reverts: id, status: 'ready', changes: 3, conflicts: 0 })
        expect(yield* rows(`select id from branches where name = 'undo inverse'`)).toEqual([])
        expect(yield* rows(`select id from branch_snapshots where branch_id = ${dry.id}`)).toEqual([])

        const reverting = yield* revert(id, 'undo inverse')
        expect(reverting).toMatchObject({ kind: 'revert', reverts: id, user: 'ann', status: 'ready', changes: 3 })
        expect(yield* main(server)).toEqual(merged)
        const made = merged.find(({ day }) => day === 9)?.id
        const entries = yield* rows(
          `select id, op, touched, base, comment, tags, presence from branch_snapshots where branch_id = ${reverting.id} order by op desc`,
        )
        expect(entries).toEqual([
          {
            id: snapshot(1).id,
            op: 'update',
            touched: ['comment'],
            base: { comment: 'source' },
            comment: '',
            tags: [],
            presence: 'listed',
          },
          { id: made, op: 'delete', touched: [], base: {}, comment: '', tags: [], presence: 'listed' },
          {
            id: expect.any(Number),
            op: 'create',
            touched: [],
            base: {},
            comment: '',
            tags: [],
            presence: 'listed',
          },
        ])
      }),
    )
  })

  test('counts the groups of its snapshots', async () => {
    await run(
      Effect.gen(function* () {
        const { server, id } = yield* mergedFleet('counted')
        const reverting = yield* revert(id, 'undo counted')
        const { lists } = (yield* Branches).overlay({ id: reverting.id })
        const [group] = yield* rows<{ id: number }>(`select id from groups where server_id = ${server}`)
        // The first of May is there again, and the ninth is not.
        const shown = Option.getOrThrow(yield* lists.get({ model: 'group', id: group?.id ?? 0 }))
        expect(shown).toMatchObject({ snapshot_count: 3, last_backup: may(3) })
        const counters = 'snapshot_count, last_backup'
        expect(yield* rows(`select ${counters} from groups where server_id = ${server}`)).toEqual([
          { snapshot_count: 3, last_backup: may(9) },
        ])
        expect(yield* rows(`select ${counters} from branch_group_counts where branch_id = ${reverting.id}`)).toEqual([
          { snapshot_count: 3, last_backup: may(3) },
        ])
        yield* expectVerified
      }),
    )
  })

  test('restores main when it is merged, and can be undone itself', async () => {
    await run(
      Effect.gen(function* () {
        const { server, id, before } = yield* mergedFleet('restored')
        const merged = yield* main(server)
        const reverting = yield* revert(id, 'undo restored')
        yield* merge(reverting.id)
        const restored = yield* main(server)
        expect(restored.map(({ id: _, ...row }) => row)).toEqual(before.map(({ id: _, ...row }) => row))
        expect(restored[0]?.id).not.toBe(before[0]?.id)
        expect(yield* rows(`select snapshot_count, digest from groups where server_id = ${server}`)).toEqual([
          { snapshot_count: 3, digest: null },
        ])
        const again = yield* revert(reverting.id, 'revert the revert of restored')
        yield* merge(again.id)
        expect((yield* main(server)).map(({ id: _, ...row }) => row)).toEqual(merged.map(({ id: _, ...row }) => row))
      }),
    )
  })

  test('shows what was edited since as conflicts', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* writesOneByOne
        const { server, id, snapshot } = yield* mergedFleet('edited')
        const made = (yield* main(server)).find(({ day }) => day === 9)?.id ?? 0
        yield* edits.update({ model: 'snapshot', id: made, values: { comment: 'mine' }, actor })
        yield* edits.update({ model: 'snapshot', id: snapshot(1).id, values: { comment: 'mine too' }, actor })
        yield* edits.update({ model: 'snapshot', id: snapshot(1).id, values: { tags: ['other'] }, actor })
        const reverting = yield* revert(id, 'undo edited')
        expect(reverting).toMatchObject({ status: 'in_review', conflicts: 2 })
        const found = (yield* conflictsOf(reverting.id)).map(({ objectId, kind, field, base, main: is, branch }) => [
          objectId,
          kind,
          field,
          base,
          is,
          branch,
        ])
        expect(found).toEqual([
          [made, 'update_delete', 'comment', '', 'mine', null],
          [snapshot(1).id, 'update_update', 'comment', 'source', 'mine too', ''],
        ])
      }),
    )
  })

  test('undoes what the merge did, not what the branch said', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* writesOneByOne
        const { server, snapshots, snapshot } = yield* newFleet('did', [1, 2, 3])
        const { id } = yield* newBranch('did')
        yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [
              create('snapshot', snapshotFacts(server, '100', may(9))),
              change('snapshot', snapshot(0).id, snapshot(0).facts, { comment: 'source', protected: true }),
              change('snapshot', snapshot(1).id, snapshot(1).facts, { comment: 'source' }),
              remove('snapshot', snapshot(2).id, snapshot(2).facts),
            ],
          },
        ])
        // A user makes the same change of one field in main, deletes a row, tags another and makes
        // the branch's creation.
        yield* edits.update({ model: 'snapshot', id: snapshot(0).id, values: { comment: 'source' }, actor })
        yield* edits.remove({ model: 'snapshot', id: snapshot(1).id, actor })
        yield* edits.update({ model: 'snapshot', id: snapshot(2).id, values: { tags: ['late'] }, actor })
        const values = { ...snapshotFacts(server, '100', may(9)), owner: '' }
        const [made] = yield* edits.create({ model: 'snapshot', rows: [values], actor })
        yield* merge(id)
        const [back] = yield* rows<{ id: number }>(
          `select id from snapshots where server_id = ${server} and extract(day from backup_time) = 2`,
        )
        const reverting = yield* revert(id, 'undo did')
        const entries = yield* rows(
          `select id, op, base, protected, owner, tags from branch_snapshots where branch_id = ${reverting.id} order by op desc, id`,
        )
        expect(entries).toEqual([
          {
            id: snapshot(0).id,
            op: 'update',
            base: { protected: true },
            protected: false,
            owner: 'root@pam',
            tags: [],
          },
          { id: made, op: 'update', base: { owner: 'root@pam' }, protected: false, owner: '', tags: [] },
          { id: back?.id, op: 'delete', base: {}, protected: false, owner: 'root@pam', tags: [] },
          { id: expect.any(Number), op: 'create', base: {}, protected: false, owner: 'root@pam', tags: ['late'] },
        ])
      }),
    )
  })

  test('brings back of a deleted server only itself, inventory only', async () => {
    await run(
      Effect.gen(function* () {
        yield* landOnce({ resource: 'servers' }, [
          {
            model: 'server',
            changes: [
              create('server', serverFacts('half', { endpoint_id: null, endpoint_state: 'pending' })),
              create('server', serverFacts('whole')),
            ],
          },
        ])
        const [half, whole] = yield* rows<{ id: number }>(
          `select id from servers where name in ('half', 'whole') order by name`,
        )
        const { id } = yield* newBranch('servers')
        const facts = serverFacts('half', { endpoint_id: null, endpoint_state: 'pending' })
        yield* stageOnce(id, { resource: 'servers' }, [
          { model: 'server', changes: [remove('server', half?.id ?? 0, facts), create('server', serverFacts('new'))] },
        ])
        yield* merge(id)
        const [made] = yield* rows<{ id: number }>(`select id from servers where name = 'new'`)
        yield* landOnce({ resource: 'datastores', server: 'new' }, [
          { model: 'datastore', changes: [create('datastore', datastoreFacts(made?.id ?? 0, 'tank'))] },
        ])
        const reverting = yield* revert(id, 'undo servers')
        expect(
          yield* rows(
            `select id, op, name, endpoint_id, endpoint_state, sync_schedule, children from branch_servers where branch_id = ${reverting.id} order by op`,
          ),
        ).toEqual([
          {
            id: expect.any(Number),
            op: 'create',
            name: 'half',
            endpoint_id: null,
            endpoint_state: 'none',
            sync_schedule: '',
            children: null,
          },
          {
            id: made?.id,
            op: 'delete',
            name: 'new',
            endpoint_id: 1,
            endpoint_state: 'connected',
            sync_schedule: '',
            children: { datastore: 0, namespace: 0, group: 0, snapshot: 0, job: 0 },
          },
        ])
        expect(yield* rows(`select id from servers where name = 'whole'`)).toEqual([whole])
      }),
    )
  })

  test('is refused of a branch that has not merged, or under a name that is taken', async () => {
    await run(
      Effect.gen(function* () {
        const { id } = yield* newBranch('unmerged')
        expect(yield* Effect.flip(revert(id, 'undo unmerged'))).toEqual(new BranchNotMerged({ id, status: 'open' }))
        expect(yield* Effect.flip(revert(0, 'undo nothing'))).toEqual(new BranchNotFound({ id: 0 }))
        const merged = yield* mergedFleet('named')
        expect(yield* Effect.flip(revert(merged.id, 'unmerged'))).toEqual(new BranchNameTaken({ name: 'unmerged' }))
      }),
    )
  })
})
