import { naturalKey, type Scope } from '@netbox-pbs/core'
import {
  type BranchChangeFilter,
  Branches,
  BranchInConflict,
  BranchNameTaken,
  BranchNotFound,
  BranchNotOpen,
  ChangeSets,
  type Inventory,
  type InventoryWrites,
  type Landing,
} from '@netbox-pbs/core/ports'
import {
  appendAll,
  change,
  create,
  datastoreFacts,
  groupFacts,
  landOnce,
  may,
  openFor,
  type Part,
  remove,
  rootOf,
  serverFacts,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const actor = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }
const at = '2026-06-02T00:00:00Z'
const everything = { limit: 100, offset: 0 }

describe.each(engines)('branches on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  let runId = 1000
  const newBranch = (name: string) =>
    Effect.flatMap(Branches, (branches) =>
      branches.create({ name, kind: 'sync', description: '', user: '', runId: ++runId, review: false }),
    )
  const stageOnce = (branch: number, scope: Scope, parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
    Effect.gen(function* () {
      const changeSets = yield* ChangeSets
      const id = ++runId
      const changeSet = yield* openFor(id, scope)
      yield* appendAll(changeSet, scope, parts)
      const landing: Landing = {
        changeSet,
        scope,
        runId: id,
        at,
        visibility: 'all',
        held: null,
        listed: true,
        record: null,
        ...more,
      }
      const staged = yield* changeSets.stage({ ...landing, branch })
      yield* changeSets.close({ changeSet })
      return staged
    })
  const merge = (id: number, commit = true) =>
    Effect.flatMap(Branches, (branches) => branches.merge({ id, commit, by: actor, at, approval: false }))
  const check = (id: number) => Effect.flatMap(Branches, (branches) => branches.check({ id }))
  const conflictsOf = (id: number) =>
    Effect.flatMap(Branches, (branches) => branches.conflicts({ id, filter: {}, ...everything }))

  /** A server with two datastores and a group of snapshots on some days of May. */
  const newFleet = (name: string, days: ReadonlyArray<number> = [1, 2, 3]) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
      const server = row?.id ?? 0
      const stores: Scope = { resource: 'datastores', server: name }
      const facts = ['tank', 'vault'].map((store) => datastoreFacts(server, store))
      yield* landOnce(stores, [{ model: 'datastore', changes: facts.map((of) => create('datastore', of)) }])
      const group = groupFacts(server, '100')
      yield* landOnce(rootOf(name), [
        { model: 'snapshot', changes: days.map((day) => create('snapshot', snapshotFacts(server, '100', may(day)))) },
        {
          model: 'group',
          changes: [create('group', group)],
          digests: [{ key: naturalKey('group', group), digest: 'first', listed: days.length }],
        },
      ])
      const ids = yield* rows<{ id: number }>(
        `select id from snapshots where server_id = ${server} order by backup_time`,
      )
      const storeIds = yield* rows<{ id: number }>(
        `select id from datastores where server_id = ${server} order by name`,
      )
      const snapshot = (nth: number) => ({
        id: ids[nth]?.id ?? 0,
        facts: snapshotFacts(server, '100', may(days[nth] ?? 0)),
      })
      return {
        server,
        stores,
        snapshots: rootOf(name),
        snapshot,
        tank: { id: storeIds[0]?.id ?? 0, facts: datastoreFacts(server, 'tank') },
      }
    })
  const mainSnapshots = (server: number) =>
    rows<{ id: number; comment: string; day: number }>(
      `select id, comment, extract(day from backup_time at time zone 'UTC')::int as day from snapshots where server_id = ${server} order by backup_time`,
    )

  test('can be given another name and description, while no other has the name', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const branch = yield* newBranch('named')
        const other = yield* newBranch('other')
        expect(yield* Effect.flip(branches.update({ id: other.id, name: 'named' }))).toEqual(
          new BranchNameTaken({ name: 'named' }),
        )
        expect(yield* branches.update({ id: other.id, description: 'why' })).toEqual({
          ...other,
          description: 'why',
          last_updated: expect.any(String),
        })
        expect(yield* branches.update({ id: branch.id, name: 'renamed' })).toMatchObject({ name: 'renamed' })
        expect(yield* branches.bySchemaId({ schemaId: other.schema_id })).toMatchObject({ value: { id: other.id } })
        expect(yield* Effect.flip(branches.update({ id: 0, name: 'x' }))).toEqual(new BranchNotFound({ id: 0 }))
      }),
    )
  })

  test('hold what a run stages while main stays, and land it when they merge', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { server, snapshots, snapshot } = yield* newFleet('staged')
        const { id } = yield* newBranch('staged')
        const before = yield* mainSnapshots(server)
        const staged = yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [
              create('snapshot', snapshotFacts(server, '100', may(9))),
              change('snapshot', snapshot(1).id, snapshot(1).facts, { comment: 'kept' }),
              remove('snapshot', snapshot(0).id, snapshot(0).facts),
            ],
          },
        ])
        expect(staged).toEqual({
          branch: id,
          counts: { created: 1, updated: 1, deleted: 1, unchanged: 0, held_back: 0 },
        })
        expect(yield* mainSnapshots(server)).toEqual(before)
        expect(yield* check(id)).toMatchObject({ status: 'ready', changes: 3, conflicts: 0 })
        const { count, rows: changes } = yield* branches.changes({ id, ...everything })
        expect(count).toBe(3)
        expect(
          changes.map(({ action, title, before: was, after }) => [action, title, was?.['comment'], after?.['comment']]),
        ).toEqual([
          ['delete', 'staged/tank/vm/100/2026-05-01T02:00:00Z', '', undefined],
          ['update', 'staged/tank/vm/100/2026-05-02T02:00:00Z', '', 'kept'],
          ['create', 'staged/tank/vm/100/2026-05-09T02:00:00Z', undefined, ''],
        ])
        const made = changes.find(({ action }) => action === 'create')?.objectId ?? 0
        const actionsOf = (filter: BranchChangeFilter) =>
          Effect.map(branches.changes({ id, filter, ...everything }), (found) => [
            found.count,
            found.rows.map(({ action }) => action),
          ])
        expect(yield* actionsOf({ models: ['snapshot'], actions: ['update', 'create'] })).toEqual([
          2,
          ['update', 'create'],
        ])
        expect(yield* actionsOf({ models: ['server', 'job'] })).toEqual([0, []])
        expect(yield* actionsOf({ objectIds: [made] })).toEqual([1, ['create']])
        expect(yield* actionsOf({ search: 'VM/100/2026-05-02' })).toEqual([1, ['update']])
        expect(yield* actionsOf({ search: 'vm_100' })).toEqual([0, []])

        const dry = yield* merge(id, false)
        expect(dry.counts).toEqual({ created: 1, updated: 1, deleted: 1 })
        expect(yield* mainSnapshots(server)).toEqual(before)

        const merged = yield* merge(id)
        expect(merged).toMatchObject({
          counts: dry.counts,
          skipped: 0,
          branch: { status: 'merged', merged: at, merged_by: 'ann' },
        })
        expect(yield* mainSnapshots(server)).toEqual([
          { id: snapshot(1).id, comment: 'kept', day: 2 },
          { id: snapshot(2).id, comment: '', day: 3 },
          { id: made, comment: '', day: 9 },
        ])
        expect(yield* rows(`select snapshot_count, digest from groups where server_id = ${server}`)).toEqual([
          { snapshot_count: 3, digest: null },
        ])
        expect(
          yield* rows(`select action, object_id, user_name, before ->> 'comment' as was from changes
            where request_id = '${actor.requestId}' and server_id = ${server} order by id`),
        ).toEqual([
          { action: 'delete', object_id: snapshot(0).id, user_name: 'ann', was: '' },
          { action: 'update', object_id: snapshot(1).id, user_name: 'ann', was: '' },
          { action: 'create', object_id: null, user_name: 'ann', was: null },
        ])
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchNotOpen({ id, status: 'merged' }))
      }),
    )
  })

  test('are in review while main and they disagree, and merge as they are answered', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const edits = yield* writesOneByOne
        const { server, snapshots, snapshot } = yield* newFleet('clash')
        const { id } = yield* newBranch('clash')
        yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [0, 1].map((nth) =>
              change('snapshot', snapshot(nth).id, snapshot(nth).facts, { comment: `source ${nth}`, protected: true }),
            ),
          },
        ])
        for (const nth of [0, 1]) {
          yield* edits.update({ model: 'snapshot', id: snapshot(nth).id, values: { comment: `edited ${nth}` }, actor })
        }
        expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 2 })
        const { rows: conflicts } = yield* conflictsOf(id)
        expect(
          conflicts.map(({ objectId, kind, field, base, main, branch, scope }) => ({
            objectId,
            kind,
            field,
            base,
            main,
            branch,
            scope,
          })),
        ).toEqual(
          [0, 1].map((nth) => ({
            objectId: snapshot(nth).id,
            kind: 'update_update',
            field: 'comment',
            base: '',
            main: `edited ${nth}`,
            branch: `source ${nth}`,
            scope: snapshots,
          })),
        )
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 2 }))
        const [first, second] = conflicts.map((conflict) => conflict.id)
        const answer = (
          conflict: number | undefined,
          resolution: Parameters<typeof branches.resolve>[0]['resolution'],
        ) => branches.resolve({ id, filter: { ids: [conflict ?? 0] }, resolution, user: 'bob' })
        expect(yield* answer(first, { choice: 'main' })).toBe(1)
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        expect(yield* answer(second, { choice: 'value', value: 'both' })).toBe(1)
        expect(yield* check(id)).toMatchObject({ status: 'ready', conflicts: 0 })
        yield* merge(id)
        expect(
          yield* rows(`select comment, protected from snapshots where server_id = ${server} order by backup_time`),
        ).toEqual([
          { comment: 'edited 0', protected: true },
          { comment: 'both', protected: true },
          { comment: '', protected: false },
        ])
        expect((yield* conflictsOf(id)).rows.map(({ resolvedBy }) => resolvedBy)).toEqual(['bob', 'bob'])
      }),
    )
  })

  test('ask again when main moves after an answer', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const edits = yield* writesOneByOne
        const { stores, tank } = yield* newFleet('moves')
        const { id } = yield* newBranch('moves')
        yield* stageOnce(id, stores, [
          { model: 'datastore', changes: [change('datastore', tank.id, tank.facts, { comment: 'source' })] },
        ])
        const edit = (comment: string) => edits.update({ model: 'datastore', id: tank.id, values: { comment }, actor })
        yield* edit('one')
        yield* check(id)
        yield* branches.resolve({ id, filter: {}, resolution: { choice: 'branch' }, user: 'bob' })
        expect(yield* check(id)).toMatchObject({ status: 'ready' })
        yield* edit('two')
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        expect((yield* conflictsOf(id)).rows).toMatchObject([{ main: 'two', resolution: null }])
      }),
    )
  })

  test('are refreshed in place by later runs of a scope: what was first found stays, what is over leaves', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('again')
        const { id } = yield* newBranch('again')
        const later = yield* newBranch('again-later')
        const made = create('snapshot', snapshotFacts(server, '100', may(9)))
        const touch = (nth: number, comment: string) =>
          change('snapshot', snapshot(nth).id, snapshot(nth).facts, { comment })
        const stage = (...changes: ReadonlyArray<typeof made | ReturnType<typeof touch>>) =>
          stageOnce(later.id, snapshots, [{ model: 'snapshot', changes }])
        yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes: [made, touch(0, 'a'), touch(1, 'a')] }])
        const ids = `select id, op, comment, base from branch_snapshots where branch_id = ${id} order by id`
        const first = yield* rows<{ id: number }>(ids)
        expect(yield* stage(made, touch(0, 'a'), touch(1, 'a'))).toMatchObject({ branch: id })
        expect(yield* rows(ids)).toEqual(first)
        yield* (yield* writesOneByOne).update({
          model: 'snapshot',
          id: snapshot(0).id,
          values: { comment: 'edited' },
          actor,
        })
        const moved = change('snapshot', snapshot(0).id, { ...snapshot(0).facts, comment: 'edited' }, { comment: 'b' })
        yield* stage(made, moved)
        expect(yield* rows(ids)).toEqual([
          { id: snapshot(0).id, op: 'update', comment: 'b', base: { comment: '' } },
          { id: first.at(-1)?.id, op: 'create', comment: '', base: {} },
        ])
        expect(yield* rows(`select id from branch_snapshots where branch_id = ${later.id}`)).toEqual([])
        expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 1 })
        expect(yield* stageOnce(later.id, snapshots, [])).toMatchObject({ branch: null })
        expect(yield* check(id)).toMatchObject({ changes: 0, conflicts: 0 })
      }),
    )
  })

  test.each([
    ['main', 3],
    ['branch', 0],
  ] as const)(
    'ask about deletions that the guard holds; answered with %s, %i snapshots are left',
    async (choice, left) => {
      await run(
        Effect.gen(function* () {
          const branches = yield* Branches
          const { server, snapshots, snapshot } = yield* newFleet(`guarded-${choice}`)
          const { id } = yield* newBranch(`guarded-${choice}`)
          const changes = [0, 1, 2].map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts))
          yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes }], { held: 'emptied', visibility: 'new' })
          expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 1 })
          expect((yield* conflictsOf(id)).rows).toMatchObject([
            {
              kind: 'guard',
              model: 'snapshot',
              objectId: null,
              scope: snapshots,
              branch: { reason: 'emptied', deletions: 3 },
            },
          ])
          expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
          expect(yield* branches.resolve({ id, filter: {}, resolution: { choice: 'skip' }, user: 'bob' })).toBe(0)
          yield* branches.resolve({ id, filter: { kinds: ['guard'] }, resolution: { choice }, user: 'bob' })
          yield* merge(id)
          expect(yield* mainSnapshots(server)).toHaveLength(left)
          const visibility = `select visibility from scopes where server_id = ${server} and resource = 'snapshots'`
          expect(yield* rows(visibility)).toEqual([{ visibility: choice === 'main' ? 'all' : 'new' }])
        }),
      )
    },
  )

  test('bring back, whole, what a user has deleted and the source lists', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('deleted', [1])
        const { id } = yield* newBranch('deleted')
        const { id: old, facts } = snapshot(0)
        yield* stageOnce(id, snapshots, [
          { model: 'snapshot', changes: [change('snapshot', old, facts, { comment: 'source' })] },
        ])
        yield* (yield* writesOneByOne).remove({ model: 'snapshot', id: old, actor })
        yield* merge(id)
        const [row, ...others] = yield* rows<{ id: number; comment: string; size_bytes: number }>(
          `select id, comment, size_bytes from snapshots where server_id = ${server}`,
        )
        expect(others).toEqual([])
        expect(row).toMatchObject({ comment: 'source', size_bytes: 1000 })
        expect(row?.id).not.toBe(old)
      }),
    )
  })

  test('adopt the row that a user has made under the same key', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots } = yield* newFleet('adopted', [1])
        const { id } = yield* newBranch('adopted')
        yield* stageOnce(id, snapshots, [
          { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(5), { comment: '' }))] },
        ])
        const values = { ...snapshotFacts(server, '100', may(5)), owner: '' }
        const [made] = yield* (yield* writesOneByOne).create({ model: 'snapshot', rows: [values], actor })
        expect(yield* check(id)).toMatchObject({ conflicts: 0 })
        yield* merge(id)
        expect(
          yield* rows(
            `select id, owner, presence from snapshots where server_id = ${server} and backup_time = '${may(5)}'`,
          ),
        ).toEqual([{ id: made, owner: 'root@pam', presence: 'listed' }])
      }),
    )
  })

  test('cannot make what lies below a server that is gone; it is left out when a reviewer says so', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { server, snapshots } = yield* newFleet('orphan', [1])
        const { id } = yield* newBranch('orphan')
        yield* stageOnce(id, snapshots, [
          { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(5)))] },
        ])
        yield* (yield* writesOneByOne).remove({ model: 'server', id: server, actor })
        expect(yield* Effect.flip(merge(id))).toEqual(new BranchInConflict({ id, conflicts: 1 }))
        expect((yield* conflictsOf(id)).rows).toMatchObject([{ kind: 'missing_reference', field: null }])
        expect(yield* branches.resolve({ id, filter: {}, resolution: { choice: 'branch' }, user: 'bob' })).toBe(0)
        expect(yield* branches.resolve({ id, filter: {}, resolution: { choice: 'skip' }, user: 'bob' })).toBe(1)
        expect(yield* merge(id)).toMatchObject({ branch: { status: 'merged' } })
      }),
    )
  })

  test('leave nothing behind when they are closed', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { snapshots, snapshot } = yield* newFleet('closed', [1])
        const { id } = yield* newBranch('closed')
        yield* stageOnce(
          id,
          snapshots,
          [{ model: 'snapshot', changes: [remove('snapshot', snapshot(0).id, snapshot(0).facts)] }],
          { held: 'emptied' },
        )
        yield* check(id)
        expect(yield* branches.close({ id, status: 'closed' })).toMatchObject({
          status: 'closed',
          changes: 0,
          conflicts: 0,
        })
        expect(yield* Effect.flip(branches.check({ id }))).toBeInstanceOf(BranchNotOpen)
        expect(yield* Effect.flip(branches.close({ id, status: 'closed' }))).toBeInstanceOf(BranchNotOpen)
        expect(yield* rows(`select scope_key from branch_scopes where branch_id = ${id}`)).toEqual([])
      }),
    )
  })

  test('count the groups of main in which they delete, and leave none that is empty and listed no more', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('counted')
        const other = { snapshot: snapshotFacts(server, '200', may(4)), group: groupFacts(server, '200') }
        yield* landOnce(snapshots, [
          { model: 'snapshot', changes: [create('snapshot', other.snapshot)] },
          { model: 'group', changes: [create('group', other.group)] },
        ])
        const idOf = (table: string) =>
          Effect.map(
            rows<{ id: number }>(`select id from ${table} where server_id = ${server} and backup_id = '200'`),
            ([row]) => row?.id ?? 0,
          )
        const { id } = yield* newBranch('counted')
        yield* stageOnce(id, snapshots, [
          {
            model: 'snapshot',
            changes: [
              remove('snapshot', snapshot(0).id, snapshot(0).facts),
              remove('snapshot', yield* idOf('snapshots'), other.snapshot),
            ],
          },
          { model: 'group', changes: [remove('group', yield* idOf('groups'), other.group)] },
        ])
        yield* merge(id)
        expect(
          yield* rows(`
            select backup_id, snapshot_count, extract(day from first_backup at time zone 'UTC')::int as first
            from groups where server_id = ${server} order by backup_id`),
        ).toEqual([{ backup_id: '100', snapshot_count: 2, first: 2 }])
      }),
    )
  })
})
