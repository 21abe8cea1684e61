import {
  Branches,
  BranchInConflict,
  type ChangeSets,
  type Inventory,
  type InventoryWrites,
} from '@netbox-pbs/core/ports'
import { change, may, oneByOne, serverFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { main, personsBranch } from './contract/branch-edits.ts'
import {
  actor,
  answer,
  at,
  check,
  conflictsOf,
  merge,
  newBranch,
  newFleet,
  rows,
  stageOnce,
} from './contract/branching.ts'
import { inConflict, key, kinds, status, storeNames, unconnected } from './contract/manual-merge.ts'
import { engines } from './engines.ts'

describe.each(engines)('the merge of a person’s branch on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const stores = (server: number) =>
    rows(`select id, name, path, comment, tags, presence from datastores where server_id = ${server} order by name`)

  test('lands what it makes, changes and deletes as users do', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault, snapshot } = yield* newFleet('lands')
        const branch = yield* personsBranch('lands')
        const store = yield* branch.make('datastore', {
          server,
          name: 'new',
          path: '/p',
          tags: [{ slug: 'a' }],
          used_bytes: 7,
          last_seen_at: may(5),
        })
        yield* branch.update('datastore', tank.id, { comment: 'mine', tags: [{ slug: 'b' }], custom_fields: { a: 1 } })
        yield* branch.remove('datastore', vault.id)
        const made = yield* branch.make('snapshot', key(server, 9, { backup_id: '200', size_bytes: 5 }))
        const group = (yield* branch.entries('groups', 'backup_id'))[0]?.['id']
        yield* branch.update('snapshot', snapshot(0).id, { comment: 'mine' })
        yield* branch.remove('snapshot', snapshot(1).id)
        const job = yield* branch.make('job', { server, job_type: 'gc', job_id: 'tank', next_run: may(8) })
        const before = yield* stores(server)
        yield* check(branch.id)
        expect(yield* status(branch.id)).toBe('ready')

        const dry = yield* merge(branch.id, false)
        expect(dry.counts).toEqual({ created: 3, updated: 2, deleted: 2 })
        expect(yield* stores(server)).toEqual(before)
        expect(yield* status(branch.id)).toBe('ready')

        const merged = yield* merge(branch.id)
        expect(merged).toMatchObject({
          counts: dry.counts,
          skipped: 0,
          branch: { status: 'merged', merged: at, merged_by: 'ann' },
        })
        expect(yield* stores(server)).toEqual([
          { id: store, name: 'new', path: '/p', comment: '', tags: [{ slug: 'a' }], presence: 'manual' },
          { id: tank.id, name: 'tank', path: '/mnt/tank', comment: 'mine', tags: [{ slug: 'b' }], presence: 'listed' },
        ])
        expect(
          yield* rows(`select used_bytes, gc_status from datastore_observations where datastore_id = ${store}`),
        ).toEqual([{ used_bytes: 7, gc_status: 'unknown' }])
        expect(yield* rows(`select last_seen_own from datastores where id = ${store}`)).toEqual([
          { last_seen_own: may(5) },
        ])
        expect(
          yield* rows(
            `select id, backup_id, comment, presence from snapshots where server_id = ${server} order by backup_id, backup_time`,
          ),
        ).toEqual([
          { id: snapshot(0).id, backup_id: '100', comment: 'mine', presence: 'listed' },
          { id: snapshot(2).id, backup_id: '100', comment: '', presence: 'listed' },
          { id: made, backup_id: '200', comment: '', presence: 'manual' },
        ])
        expect(
          yield* rows(
            `select g.id > 0 as there, backup_id, snapshot_count, total_size, digest, presence from groups g where server_id = ${server} order by backup_id`,
          ),
        ).toEqual([
          { there: true, backup_id: '100', snapshot_count: 2, total_size: 2000, digest: null, presence: 'listed' },
          { there: true, backup_id: '200', snapshot_count: 1, total_size: 5, digest: null, presence: 'manual' },
        ])
        expect(yield* rows(`select backup_id from groups where id = ${group}`)).toEqual([{ backup_id: '200' }])
        expect(yield* rows(`select next_run from job_observations where job_id = ${job}`)).toEqual([
          { next_run: may(8) },
        ])
      }),
    )
  })

  test('is told in the change log under whoever merges, with all that people own', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('logged')
        const branch = yield* personsBranch('logged')
        yield* branch.update('datastore', tank.id, { name: 'moved', tags: ['a'], custom_fields: { k: 1 } })
        yield* branch.remove('datastore', vault.id)
        const [mark] = yield* rows<{ id: number }>('select max(id) as id from changes')
        const made = yield* branch.make('snapshot', key(server, 9, { backup_id: '200', tags: ['b'] }))
        expect(yield* rows(`select id from changes where id > ${mark?.id}`)).toEqual([])
        yield* merge(branch.id)
        const log = yield* rows(
          `select action, model, object_id, title, server_id, before, after, user_name, request_id from changes where id > ${mark?.id} order by id`,
        )
        const by = { server_id: server, user_name: 'ann', request_id: actor.requestId }
        const row = { server, maintenance: '', mount_status: '', backend_type: '', comment: '' }
        expect(log).toEqual([
          {
            ...by,
            action: 'delete',
            model: 'datastore',
            object_id: vault.id,
            title: 'logged/vault',
            before: {
              ...row,
              name: 'vault',
              path: '/mnt/vault',
              tags: [],
              custom_fields: {},
              created: expect.any(String),
              presence: 'listed',
            },
            after: null,
          },
          {
            ...by,
            action: 'update',
            model: 'datastore',
            object_id: tank.id,
            title: 'logged/moved',
            before: { name: 'tank', tags: [], custom_fields: {} },
            after: { name: 'moved', tags: ['a'], custom_fields: { k: 1 } },
          },
          expect.objectContaining({ ...by, action: 'create', model: 'group', title: 'logged/tank/vm/200' }),
          expect.objectContaining({
            ...by,
            action: 'create',
            model: 'snapshot',
            object_id: made,
            title: 'logged/tank/vm/200/2026-05-09T02:00:00Z',
            before: null,
            after: expect.objectContaining({ backup_id: '200', tags: ['b'], custom_fields: {} }),
          }),
          {
            ...by,
            server_id: null,
            action: 'update',
            model: 'branch',
            object_id: branch.id,
            title: 'logged',
            before: { status: 'open', merged_time: null, merged_by: '' },
            after: { status: 'merged', merged_time: at, merged_by: 'ann' },
          },
        ])
      }),
    )
  })

  test('lets rows swap their keys, and others take the keys they leave', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('swap-a')
        const other = yield* newFleet('swap-b')
        const branch = yield* personsBranch('swap')
        const rename = (id: number, name: string) => branch.update('datastore', id, { name })
        yield* rename(tank.id, 'tmp')
        yield* rename(vault.id, 'tank')
        yield* rename(tank.id, 'vault')
        yield* branch.remove('datastore', other.tank.id)
        yield* branch.update('datastore', other.vault.id, { name: 'tank' })
        const made = yield* branch.make('datastore', { server: other.server, name: 'vault', path: '/p' })
        yield* branch.update('server', server, { name: 'swap-tmp' })
        yield* branch.update('server', other.server, { name: 'swap-a' })
        yield* branch.update('server', server, { name: 'swap-b', sync_schedule: '0 3 * * *', sync_interval_minutes: 5 })
        expect(yield* check(branch.id)).toMatchObject({ status: 'ready', conflicts: 0 })
        expect((yield* merge(branch.id)).counts).toEqual({ created: 1, updated: 5, deleted: 1 })
        expect(yield* storeNames(server)).toEqual([
          { id: vault.id, name: 'tank' },
          { id: tank.id, name: 'vault' },
        ])
        expect(yield* storeNames(other.server)).toEqual([
          { id: other.vault.id, name: 'tank' },
          { id: made, name: 'vault' },
        ])
        expect(
          yield* rows(
            `select name, sync_schedule, sync_interval_minutes from servers where id in (${server}, ${other.server}) order by id`,
          ),
        ).toEqual([
          { name: 'swap-b', sync_schedule: '0 3 * * *', sync_interval_minutes: 5 },
          { name: 'swap-a', sync_schedule: '', sync_interval_minutes: null },
        ])
        expect(
          yield* rows(
            `select name, presence, last_seen_own from datastores where id in (${tank.id}, ${vault.id}) order by name`,
          ),
        ).toEqual(
          ['tank', 'vault'].map((name) => ({ name, presence: 'manual', last_seen_own: '2026-06-01T00:00:00Z' })),
        )
      }),
    )
  })

  test('moves snapshots between groups, with their counters', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshot } = yield* newFleet('moved')
        const branch = yield* personsBranch('moved')
        const home = yield* branch.make('server', { name: 'moved-new', ...unconnected })
        yield* branch.update('snapshot', snapshot(0).id, { backup_time: may(2), backup_id: '200' })
        yield* branch.update('snapshot', snapshot(1).id, { server: home })
        yield* branch.remove('snapshot', snapshot(2).id)
        yield* merge(branch.id)
        expect(
          yield* rows(
            `select server_id, backup_id, snapshot_count, last_backup from groups where server_id in (${server}, ${home}) order by server_id, backup_id`,
          ),
        ).toEqual([
          { server_id: server, backup_id: '100', snapshot_count: 0, last_backup: null },
          { server_id: server, backup_id: '200', snapshot_count: 1, last_backup: may(2) },
          { server_id: home, backup_id: '100', snapshot_count: 1, last_backup: may(2) },
        ])
      }),
    )
  })

  test('merges tags and custom fields of both sides', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('members')
        const edits = yield* main
        yield* edits.update('datastore', tank.id, { tags: ['a', 'b'], custom_fields: { x: 1, y: 1 } })
        const branch = yield* personsBranch('members')
        yield* branch.update('datastore', tank.id, { tags: ['b', 'mine'], custom_fields: { x: 2, y: 1 } })
        yield* edits.update('datastore', tank.id, { tags: ['a', 'b', 'theirs'], custom_fields: { x: 1, y: 3, z: 4 } })
        expect(yield* check(branch.id)).toMatchObject({ status: 'ready' })
        yield* merge(branch.id)
        expect(yield* rows(`select tags, custom_fields from datastores where id = ${tank.id}`)).toEqual([
          { tags: ['b', 'theirs', 'mine'], custom_fields: { x: 2, y: 3, z: 4 } },
        ])
      }),
    )
  })

  test('of a new row under the key of one that stays after all is a row that both have made', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank } = yield* newFleet('stays')
        const branch = yield* personsBranch('stays')
        yield* branch.remove('datastore', tank.id)
        const made = yield* branch.make('datastore', { server, name: 'tank', path: '/mine' })
        expect(yield* check(branch.id)).toMatchObject({ status: 'ready', conflicts: 0 })
        yield* (yield* main).update('datastore', tank.id, { comment: 'theirs' })
        yield* inConflict(branch.id, 1)
        expect(yield* kinds(branch.id)).toEqual([['update_delete', 'comment', 'datastore', tank.id]])
        yield* answer(branch.id, { choice: 'main' })
        yield* inConflict(branch.id, 1)
        expect((yield* kinds(branch.id)).slice(1)).toEqual([['create_create', 'path', 'datastore', made]])
        yield* answer(branch.id, { choice: 'branch' }, { kinds: ['create_create'] })
        yield* merge(branch.id)
        expect(
          yield* rows(`select id, path, comment from datastores where server_id = ${server} and name = 'tank'`),
        ).toEqual([{ id: tank.id, path: '/mine', comment: 'theirs' }])
      }),
    )
  })

  test('notes in each entry what it did, where that is not what the entry says', async () => {
    await run(
      Effect.gen(function* () {
        const edits = yield* main
        const { tank, vault } = yield* newFleet('outcomes')
        const branch = yield* personsBranch('outcomes')
        yield* branch.update('datastore', tank.id, { comment: 'mine', path: '/mine' })
        yield* branch.update('datastore', vault.id, { comment: 'mine' })
        yield* edits.update('datastore', tank.id, { comment: 'theirs' })
        yield* edits.update('datastore', vault.id, { path: '/theirs' })
        yield* check(branch.id)
        yield* answer(branch.id, { choice: 'main' })
        yield* merge(branch.id)
        expect((yield* branch.entries('datastores', 'outcome')).map(({ outcome }) => outcome)).toEqual([
          { op: 'update', before: { path: '/mnt/tank' }, after: { path: '/mine' } },
          null,
        ])
      }),
    )
  })

  test('of a revert branch sets the scopes that it touches to review', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, snapshot } = yield* newFleet('reverting')
        const branches = yield* Branches
        const more = { description: '', user: 'ann', runId: null, review: false }
        const { id } = yield* branches.create({ name: 'reverting', kind: 'revert', ...more })
        const writes = oneByOne(branches.overlay({ id }).writes)
        yield* writes.update({ model: 'snapshot', id: snapshot(0).id, values: { comment: 'as it was' }, actor })
        yield* merge(id)
        const reviewed = rows(`select resource from scopes where server_id = ${server} and review`)
        expect(yield* reviewed).toEqual([{ resource: 'snapshots' }])
        const branch = yield* personsBranch('no revert')
        yield* branch.update('datastore', tank.id, { comment: 'mine' })
        yield* merge(branch.id)
        expect(yield* reviewed).toEqual([{ resource: 'snapshots' }])
      }),
    )
  })
})

describe.each(engines)('the merge of a run’s branch on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  test('asks about a server whose new name main has given to another, and leaves it where it is', async () => {
    await run(
      Effect.gen(function* () {
        const { server } = yield* newFleet('renamed')
        const { id } = yield* newBranch('renamed')
        yield* stageOnce(id, { resource: 'servers' }, [
          {
            model: 'server',
            changes: [change('server', server, serverFacts('renamed'), { name: 'wanted', host: 'h' })],
          },
        ])
        const other = yield* (yield* main).make('server', { name: 'wanted', ...unconnected })
        expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 1 })
        expect(yield* conflictsOf(id)).toMatchObject([
          { kind: 'unique_collision', field: null, objectId: server, main: { id: other, title: 'wanted' } },
        ])
        expect(yield* Effect.flip(merge(id))).toBeInstanceOf(BranchInConflict)
        yield* answer(id, { choice: 'main' })
        yield* merge(id)
        expect(yield* rows(`select name, host from servers where id = ${server}`)).toEqual([
          { name: 'renamed', host: 'renamed.example.com' },
        ])
      }),
    )
  })
})
