import { Branches, type ChangeSets, type Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { main, personsBranch } from './contract/branch-edits.ts'
import { answer, check, conflictsOf, merge, newFleet, rows } from './contract/branching.ts'
import { inConflict, key, kinds, status, storeNames, unconnected } from './contract/manual-merge.ts'
import { engines } from './engines.ts'

describe.each(engines)('what the merge of a person’s branch asks, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  test.each([
    ['main', 'theirs'],
    ['branch', 'mine'],
    ['value', 'both'],
    ['skip', 'theirs'],
  ] as const)('asks about a field that both sides changed; answered with %s it is %j', async (choice, comment) => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet(`clash-${choice}`)
        const branch = yield* personsBranch(`clash-${choice}`)
        yield* branch.update('datastore', tank.id, { comment: 'mine', path: '/mine' })
        yield* (yield* main).update('datastore', tank.id, { comment: 'theirs' })
        yield* inConflict(branch.id, 1)
        expect(yield* conflictsOf(branch.id)).toMatchObject([
          { kind: 'update_update', field: 'comment', base: '', main: 'theirs', branch: 'mine' },
        ])
        yield* answer(branch.id, choice === 'value' ? { choice, value: 'both' } : { choice })
        const { skipped } = yield* merge(branch.id)
        expect(skipped).toBe(choice === 'skip' ? 1 : 0)
        expect(yield* rows(`select comment, path from datastores where id = ${tank.id}`)).toEqual([
          { comment, path: choice === 'skip' ? '/mnt/tank' : '/mine' },
        ])
      }),
    )
  })

  test('brings back what main has lost when a reviewer wants it, as a user’s own', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('lost')
        const branch = yield* personsBranch('lost')
        const edits = yield* main
        for (const { id } of [tank, vault]) yield* branch.update('datastore', id, { comment: 'mine' })
        for (const { id } of [tank, vault]) yield* edits.remove('datastore', id)
        yield* inConflict(branch.id, 2)
        expect(yield* kinds(branch.id)).toEqual([tank, vault].map(({ id }) => ['delete_update', null, 'datastore', id]))
        yield* answer(branch.id, { choice: 'branch' })
        const again = yield* edits.make('datastore', { server, name: 'vault', path: '/again' })
        yield* inConflict(branch.id, 1)
        const taken = (yield* conflictsOf(branch.id)).filter(({ resolution }) => resolution === null)
        expect(taken).toMatchObject([
          { kind: 'unique_collision', objectId: vault.id, main: { id: again, title: 'lost/vault' } },
        ])
        yield* answer(branch.id, { choice: 'main' }, { kinds: ['unique_collision'] })
        yield* merge(branch.id)
        const [back, other] = yield* rows<{ id: number }>(
          `select id, name, comment, path, presence from datastores where server_id = ${server} order by name`,
        )
        expect(back).toMatchObject({ name: 'tank', comment: 'mine', path: '/mnt/tank', presence: 'manual' })
        expect(back?.id).not.toBe(tank.id)
        expect(other).toMatchObject({ id: again, path: '/again' })
      }),
    )
  })

  describe('of a server that it makes', () => {
    test('puts below it what it makes there', async () => {
      await run(
        Effect.gen(function* () {
          const branch = yield* personsBranch('below')
          const server = yield* branch.make('server', { name: 'below', ...unconnected, status: 'reachable' })
          const store = yield* branch.make('datastore', { server, name: 'tank', path: '/p' })
          const snapshot = yield* branch.make('snapshot', key(server, 1))
          expect(yield* check(branch.id)).toMatchObject({ status: 'ready', conflicts: 0 })
          const { rows: changes } = yield* Effect.flatMap(Branches, (branches) =>
            branches.changes({ id: branch.id, limit: 10, offset: 0 }),
          )
          expect(changes.map(({ title }) => title)).toEqual([
            'below',
            'below/tank',
            'below/tank/vm/100',
            'below/tank/vm/100/2026-05-01T02:00:00Z',
          ])
          yield* merge(branch.id)
          expect(yield* storeNames(server)).toEqual([{ id: store, name: 'tank' }])
          expect(yield* rows(`select id from snapshots where server_id = ${server}`)).toEqual([{ id: snapshot }])
          expect(yield* rows(`select status from server_observations where server_id = ${server}`)).toEqual([
            { status: 'reachable' },
          ])
        }),
      )
    })

    test('puts it below the one that main has made since, row by row', async () => {
      await run(
        Effect.gen(function* () {
          const edits = yield* main
          const branch = yield* personsBranch('adopt')
          const server = yield* branch.make('server', { name: 'adopt', ...unconnected, tags: ['mine'] })
          yield* branch.make('datastore', { server, name: 'tank', path: '/mine' })
          const vault = yield* branch.make('datastore', { server, name: 'vault', path: '/p' })
          const snapshot = yield* branch.make('snapshot', key(server, 1))
          const theirs = yield* edits.make('server', { name: 'adopt', ...unconnected, tags: ['theirs'] })
          const tank = yield* edits.make('datastore', { server: theirs, name: 'tank', path: '/theirs' })
          yield* inConflict(branch.id, 1)
          expect(yield* conflictsOf(branch.id)).toMatchObject([
            { kind: 'create_create', field: 'path', main: '/theirs', branch: '/mine' },
          ])
          yield* answer(branch.id, { choice: 'branch' })
          expect((yield* merge(branch.id)).counts).toEqual({ created: 2, updated: 2, deleted: 0 })
          expect(yield* rows(`select id, tags from servers where name = 'adopt'`)).toEqual([
            { id: theirs, tags: ['theirs', 'mine'] },
          ])
          expect(yield* storeNames(theirs)).toEqual([
            { id: tank, name: 'tank' },
            { id: vault, name: 'vault' },
          ])
          expect(yield* rows(`select server_id, path from datastores where id = ${tank}`)).toEqual([
            { server_id: theirs, path: '/mine' },
          ])
          expect(yield* rows(`select server_id from snapshots where id = ${snapshot}`)).toEqual([{ server_id: theirs }])
          expect(yield* rows(`select snapshot_count from groups where server_id = ${theirs}`)).toEqual([
            { snapshot_count: 1 },
          ])
          expect(yield* branch.entries('datastores', 'server_id')).toMatchObject([
            { server_id: theirs },
            { server_id: theirs },
          ])
          expect(yield* rows(`select outcome from branch_servers where branch_id = ${branch.id}`)).toEqual([
            {
              outcome: { op: 'update', id: theirs, before: { tags: ['theirs'] }, after: { tags: ['theirs', 'mine'] } },
            },
          ])
        }),
      )
    })

    test('has nothing to put below when it is left out', async () => {
      await run(
        Effect.gen(function* () {
          const branch = yield* personsBranch('left-out')
          const server = yield* branch.make('server', { name: 'left-out', ...unconnected })
          const store = yield* branch.make('datastore', { server, name: 'tank', path: '/p' })
          yield* (yield* main).create('server', { name: 'left-out', ...unconnected, host: 'other' })
          yield* inConflict(branch.id, 1)
          yield* answer(branch.id, { choice: 'skip' })
          yield* inConflict(branch.id, 1)
          expect((yield* kinds(branch.id)).slice(1)).toEqual([['missing_reference', null, 'datastore', store]])
          yield* answer(branch.id, { choice: 'skip' }, { resolved: false })
          expect(yield* merge(branch.id)).toMatchObject({ skipped: 2, counts: { created: 0, updated: 0, deleted: 0 } })
        }),
      )
    })
  })

  test('has nothing to put below a server that main has lost', async () => {
    await run(
      Effect.gen(function* () {
        const { server, tank, vault } = yield* newFleet('gone')
        const other = yield* newFleet('gone-2')
        const branch = yield* personsBranch('gone')
        const made = yield* branch.make('datastore', { server, name: 'new', path: '/p' })
        yield* branch.update('datastore', tank.id, { comment: 'mine' })
        yield* branch.remove('datastore', vault.id)
        yield* branch.update('datastore', other.tank.id, { server, name: 'to the lost' })
        yield* (yield* main).remove('server', server)
        yield* inConflict(branch.id, 3)
        expect(yield* kinds(branch.id)).toEqual([
          ['missing_reference', null, 'datastore', tank.id],
          ['missing_reference', null, 'datastore', other.tank.id],
          ['missing_reference', null, 'datastore', made],
        ])
        yield* answer(branch.id, { choice: 'main' })
        yield* merge(branch.id)
        expect((yield* storeNames(other.server)).map(({ name }) => name)).toEqual(['tank', 'vault'])
      }),
    )
  })

  describe('of a server that it deletes', () => {
    test('takes all below it along, in one sum, but for what it has moved away', async () => {
      await run(
        Effect.gen(function* () {
          const { server, tank, vault } = yield* newFleet('leaves')
          const branch = yield* personsBranch('leaves')
          const home = yield* branch.make('server', { name: 'leaves-tmp', ...unconnected })
          yield* branch.update('datastore', vault.id, { server: home })
          yield* branch.remove('server', server)
          yield* branch.update('server', home, { name: 'leaves' })
          expect(yield* check(branch.id)).toMatchObject({ status: 'ready', conflicts: 0 })
          expect((yield* merge(branch.id)).counts).toEqual({ created: 1, updated: 1, deleted: 1 })
          expect(yield* rows(`select id from servers where name = 'leaves'`)).toEqual([{ id: home }])
          expect(yield* storeNames(home)).toEqual([{ id: vault.id, name: 'vault' }])
          expect(yield* rows(`select id from datastores where id = ${tank.id}`)).toEqual([])
          expect(
            yield* rows(
              `select title, before ->> 'name' as name, counts from changes where action = 'delete' and object_id = ${server} and model = 'server'`,
            ),
          ).toEqual([
            {
              title: 'leaves',
              name: 'leaves',
              counts: { datastore: 1, namespace: 0, group: 1, snapshot: 3, job: 0, task: 0 },
            },
          ])
        }),
      )
    })

    test.each(['branch', 'main', 'skip'] as const)(
      'asks about rows that main has gained below it; answered with %s',
      async (choice) => {
        await run(
          Effect.gen(function* () {
            const edits = yield* main
            const { server } = yield* newFleet(`orphans-${choice}`)
            const branch = yield* personsBranch(`orphans-${choice}`)
            yield* branch.remove('server', server)
            yield* check(branch.id)
            expect(yield* status(branch.id)).toBe('ready')
            yield* edits.create('datastore', { server, name: 'new', path: '/p' })
            yield* edits.create('snapshot', key(server, 8), key(server, 9, { backup_id: '200' }))
            yield* inConflict(branch.id, 1)
            expect(yield* conflictsOf(branch.id)).toMatchObject([
              {
                kind: 'child_orphaned',
                field: null,
                model: 'server',
                objectId: server,
                base: null,
                main: { datastore: 1, group: 1, snapshot: 2 },
                branch: null,
              },
            ])
            expect(yield* answer(branch.id, { choice: 'value', value: 1 })).toBe(0)
            yield* answer(branch.id, { choice })
            yield* edits.create('job', { server, job_type: 'gc', job_id: 'tank' })
            yield* inConflict(branch.id, 1)
            yield* answer(branch.id, { choice })
            const { counts, skipped } = yield* merge(branch.id)
            expect({ deleted: counts.deleted, skipped }).toEqual({
              deleted: choice === 'branch' ? 1 : 0,
              skipped: choice === 'skip' ? 1 : 0,
            })
            expect(yield* rows(`select name from servers where id = ${server}`)).toEqual(
              choice === 'branch' ? [] : [{ name: `orphans-${choice}` }],
            )
          }),
        )
      },
    )

    test('asks about rows of another branch, which took their ids before', async () => {
      await run(
        Effect.gen(function* () {
          const { server } = yield* newFleet('older')
          const first = yield* personsBranch('older-1')
          yield* first.make('datastore', { server, name: 'new', path: '/p' })
          yield* (yield* main).create('datastore', { server, name: 'later', path: '/p' })
          const second = yield* personsBranch('older-2')
          yield* second.remove('server', server)
          yield* merge(first.id)
          yield* inConflict(second.id, 1)
          expect(yield* conflictsOf(second.id)).toMatchObject([{ kind: 'child_orphaned', main: { datastore: 1 } }])
        }),
      )
    })
  })

  describe('of a row whose new key main has given away', () => {
    test.each(['main', 'skip'] as const)('leaves it where it is; answered with %s', async (choice) => {
      await run(
        Effect.gen(function* () {
          const { server, tank, vault } = yield* newFleet(`taken-${choice}`)
          const branch = yield* personsBranch(`taken-${choice}`)
          yield* branch.update('datastore', tank.id, { name: 'wanted', comment: 'mine' })
          // In its place: left there, it is in the way of the second.
          yield* branch.update('datastore', vault.id, { name: 'tank' })
          const other = yield* (yield* main).make('datastore', { server, name: 'wanted', path: '/p' })
          yield* inConflict(branch.id, 2)
          expect(yield* conflictsOf(branch.id)).toMatchObject([
            {
              kind: 'unique_collision',
              field: null,
              objectId: tank.id,
              main: { id: other, title: `taken-${choice}/wanted` },
            },
            {
              kind: 'unique_collision',
              field: null,
              objectId: vault.id,
              main: { id: tank.id, title: `taken-${choice}/tank` },
            },
          ])
          expect(yield* answer(branch.id, { choice: 'branch' })).toBe(0)
          yield* answer(branch.id, { choice })
          expect(yield* check(branch.id)).toMatchObject({ status: 'ready' })
          expect(yield* merge(branch.id)).toMatchObject({
            counts: { created: 0, updated: 0, deleted: 0 },
            skipped: choice === 'skip' ? 2 : 0,
          })
          expect(
            yield* rows(`select name, comment from datastores where id in (${tank.id}, ${vault.id}) order by id`),
          ).toEqual([
            { name: 'tank', comment: '' },
            { name: 'vault', comment: '' },
          ])
        }),
      )
    })

    test('asks no more when main takes the other away', async () => {
      await run(
        Effect.gen(function* () {
          const edits = yield* main
          const { server, tank } = yield* newFleet('cleared')
          const branch = yield* personsBranch('cleared')
          yield* branch.update('datastore', tank.id, { name: 'wanted' })
          const other = yield* edits.make('datastore', { server, name: 'wanted', path: '/p' })
          yield* inConflict(branch.id, 1)
          yield* edits.update('datastore', other, { name: 'elsewhere' })
          expect(yield* check(branch.id)).toMatchObject({ status: 'ready', conflicts: 0 })
          yield* merge(branch.id)
          expect((yield* storeNames(server)).map(({ id, name }) => [id, name])).toEqual([
            [other, 'elsewhere'],
            [expect.any(Number), 'vault'],
            [tank.id, 'wanted'],
          ])
        }),
      )
    })
  })
})
