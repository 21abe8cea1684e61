import { naturalKey, registryVersion } from '@netbox-pbs/core'
import { type ChangeSets, Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import { create, groupFacts, landOnce, may, remove, rootOf, serverFacts, snapshotFacts } from '@netbox-pbs/testing'
import { Chunk, Effect, Layer, ManagedRuntime, Stream } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

type Ports = Inventory | InventoryWrites | ChangeSets | Database

/**
 * Any change of main that a group's last frame does not have clears the group's digest, so that the
 * next run compares the group again; each case here leaves the other group's digest alone. Edits of
 * a fact, also during a landing, and a held-back row that returns are cases of
 * inventory-writes.test.ts and landing.test.ts.
 */
describe.each(engines)('a digest that would lie on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const groupsOf = (serverId: number) =>
    Effect.gen(function* () {
      const groups = (yield* Inventory).groups({ serverId, datastore: 'tank', namespace: '' })
      return Chunk.toReadonlyArray(yield* Stream.runCollect(groups))
    })
  /** Digests by the id of the guest. */
  const digestsOf = (serverId: number) =>
    Effect.map(groupsOf(serverId), (groups) =>
      Object.fromEntries(groups.map(({ facts, digest }) => [facts.backup_id, digest])),
    )
  const frame = (serverId: number, id: string, digest = `frame of ${id}`) => ({
    key: naturalKey('group', groupFacts(serverId, id)),
    digest,
    listed: 2,
  })
  /** A server with the guests 100 and 200, both synced with two snapshots; with the snapshots of 100. */
  const synced = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const database = yield* Database
      const { rows } = yield* database.query('asking', (db) =>
        sql<{ id: number }>`select id from servers where name = ${name}`.execute(db),
      )
      const serverId = rows[0]?.id ?? 0
      const ids = ['100', '200']
      yield* landOnce(rootOf(name), [
        {
          model: 'snapshot',
          changes: ids.flatMap((id) => [1, 2].map((day) => create('snapshot', snapshotFacts(serverId, id, may(day))))),
        },
        {
          model: 'group',
          changes: ids.map((id) => create('group', groupFacts(serverId, id))),
          digests: ids.map((id) => frame(serverId, id)),
        },
      ])
      expect(yield* digestsOf(serverId)).toEqual({ 100: 'frame of 100', 200: 'frame of 200' })
      const groupId = (yield* groupsOf(serverId)).find(({ facts }) => facts.backup_id === '100')?.id ?? 0
      const snapshots = yield* Stream.runCollect((yield* Inventory).snapshots({ groupIds: [groupId] }))
      return { serverId, groupId, snapshots: Chunk.toReadonlyArray(snapshots) }
    })
  type Synced = Effect.Effect.Success<ReturnType<typeof synced>>

  const others = { 200: 'frame of 200' }
  const editedAt = (serverId: number, backup_id: string, day: number) => ({
    server: serverId,
    datastore_name: 'tank',
    backup_type: 'vm',
    backup_id,
    backup_time: may(day),
  })
  const first = ({ snapshots }: Synced) => snapshots[0]?.id ?? 0
  test.each<
    [string, string, (of: Synced) => Effect.Effect<unknown, unknown, Ports>, Readonly<Record<string, string | null>>]
  >([
    [
      'a user that makes a snapshot in the group',
      'makes',
      ({ serverId }) =>
        Effect.flatMap(edits, (writes) => writes.create({ model: 'snapshot', rows: [editedAt(serverId, '100', 9)] })),
      { 100: null, ...others },
    ],
    [
      'a user that deletes one',
      'deletes',
      (of) => Effect.flatMap(edits, (writes) => writes.remove({ model: 'snapshot', id: first(of) })),
      { 100: null, ...others },
    ],
    [
      'a user that moves one into another group, in both',
      'moves',
      (of) =>
        Effect.flatMap(edits, (writes) =>
          writes.update({ model: 'snapshot', id: first(of), values: { backup_id: '200', backup_time: may(9) } }),
        ),
      { 100: null, 200: null },
    ],
    [
      'a snapshot whose deletion is held back',
      'holds',
      ({ serverId, snapshots }) =>
        landOnce(
          rootOf('holds'),
          [
            { model: 'snapshot', changes: snapshots.slice(0, 1).map(({ id, facts }) => remove('snapshot', id, facts)) },
            { model: 'group', changes: [], digests: [frame(serverId, '100', 'shorter')] },
          ],
          { held: 'too_many' },
        ),
      { 100: null, ...others },
    ],
    [
      'a group that is held back whole',
      'whole',
      ({ groupId, serverId, snapshots }) =>
        landOnce(
          rootOf('whole'),
          [
            { model: 'snapshot', changes: snapshots.map(({ id, facts }) => remove('snapshot', id, facts)) },
            { model: 'group', changes: [remove('group', groupId, groupFacts(serverId, '100'))] },
          ],
          { held: 'visibility_changed' },
        ),
      { 100: null, ...others },
    ],
    [
      'a group that only a user’s snapshot keeps',
      'keeps',
      ({ groupId, serverId, snapshots }) =>
        Effect.gen(function* () {
          yield* (yield* edits).create({ model: 'snapshot', rows: [editedAt(serverId, '100', 9)] })
          yield* landOnce(rootOf('keeps'), [{ model: 'group', changes: [], digests: [frame(serverId, '100')] }])
          expect(yield* digestsOf(serverId)).toEqual({ 100: 'frame of 100', ...others })
          yield* landOnce(rootOf('keeps'), [
            { model: 'snapshot', changes: snapshots.map(({ id, facts }) => remove('snapshot', id, facts)) },
            { model: 'group', changes: [remove('group', groupId, groupFacts(serverId, '100'))] },
          ])
        }),
      { 100: null, ...others },
    ],
  ])('is gone after %s', async (_, name, write, digests) => {
    await run(
      Effect.gen(function* () {
        const before = yield* synced(name)
        yield* write(before)
        expect(yield* digestsOf(before.serverId)).toEqual(digests)
      }),
    )
  })

  test('is not returned when it was computed under another version of the registry, and is computed again', async () => {
    await run(
      Effect.gen(function* () {
        const { serverId, groupId } = yield* synced('older')
        const database = yield* Database
        yield* database.query('growing old', (db) =>
          sql`update groups set digest_registry_version = ${registryVersion - 1} where id = ${groupId}`.execute(db),
        )
        expect(yield* digestsOf(serverId)).toEqual({ 100: null, ...others })
        yield* landOnce(rootOf('older'), [{ model: 'group', changes: [], digests: [frame(serverId, '100')] }])
        expect(yield* digestsOf(serverId)).toEqual({ 100: 'frame of 100', ...others })
      }),
    )
  })
})
