import { EncryptionKeys, InventoryLists, InventoryWrites, visibleServers } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  groupFacts,
  landOnce,
  may,
  remove,
  rootOf,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

const [one, two, three] = ['11:11', '22:22', '33:33']
const by = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }

describe.each(engines)('keys on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
    runtime.runPromise(effect)
  const idOf = (server: number, backup_id: string, time: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => {
        const { rows } = await sql<{ id: number }>`
          select id from snapshots where server_id = ${server} and backup_id = ${backup_id} and backup_time = ${time}::timestamptz`.execute(
          db,
        )
        return rows[0]?.id ?? 0
      }),
    )
  const keys = Effect.flatMap(EncryptionKeys, (port) =>
    Effect.map(port.list({ filter: {}, limit: 100, offset: 0 }), ({ rows }) =>
      rows.map((key) => [key.fingerprint, key.snapshot_count, key.group_count, key.only_group_count, key.last_seen]),
    ),
  )
  const groups = (server: number) =>
    Effect.flatMap(InventoryLists, (lists) =>
      Effect.map(
        lists.list({
          model: 'group',
          filters: [{ field: 'server', lookup: 'exact', values: [server] }],
          ...{ search: null, order: [], page: { _tag: 'offset', limit: 100, offset: 0 } },
        }),
        ({ rows }) => rows.map((row) => [row.backup_id, row.only_key, row.key_count, row.newest_unencrypted]),
      ),
    )

  test('are known by the snapshots that need them, and follow every landing and the end of a server', async () => {
    await run(
      Effect.gen(function* () {
        for (const name of ['a', 'b'])
          yield* landOnce({ resource: 'servers' }, [
            { model: 'server', changes: [create('server', serverFacts(name))] },
          ])
        const a = (yield* serverIdOf('a')) ?? 0
        const b = (yield* serverIdOf('b')) ?? 0
        const snapshot = (
          server: number,
          id: string,
          day: number,
          crypt_mode: string,
          key_fingerprint = '',
          finished = true,
        ) => snapshotFacts(server, id, may(day), { crypt_mode, key_fingerprint, finished })
        const land = (name: string, server: number, facts: ReadonlyArray<ReturnType<typeof snapshot>>) =>
          landOnce(rootOf(name), [
            {
              model: 'group',
              changes: [...new Set(facts.map((row) => row.backup_id))].map((id) =>
                create('group', groupFacts(server, id)),
              ),
            },
            { model: 'snapshot', changes: facts.map((row) => create('snapshot', row)) },
          ])
        yield* land('a', a, [
          ...[snapshot(a, '100', 1, 'encrypt', one), snapshot(a, '100', 2, 'encrypt', one)],
          ...[snapshot(a, '101', 1, 'encrypt', one), snapshot(a, '101', 2, 'mixed', two)],
          ...[
            snapshot(a, '102', 1, 'encrypt', two),
            snapshot(a, '102', 2, 'none'),
            snapshot(a, '102', 3, '', '', false),
          ],
          ...[
            snapshot(a, '103', 1, 'sign-only', three),
            snapshot(a, '104', 1, 'none'),
            snapshot(a, '105', 1, 'encrypt'),
          ],
          ...[snapshot(a, '106', 1, 'none'), snapshot(a, '106', 2, 'encrypt', two)],
        ])
        yield* land('b', b, [snapshot(b, '100', 3, 'encrypt', one)])
        expect(yield* groups(a)).toEqual([
          ['100', one, 1, false],
          ['101', '', 2, false],
          ['102', '', 1, true],
          ['103', '', 0, false],
          ['104', '', 0, false],
          ['105', '', 0, false],
          ['106', '', 1, false],
        ])
        expect(yield* keys).toEqual([
          [one, 4, 3, 2, may(3)],
          [two, 3, 3, 0, may(2)],
        ])
        const seenOf = (servers: ReadonlyArray<number>) => Effect.locally(keys, visibleServers, servers)
        expect(yield* seenOf([b])).toEqual([[one, 1, 1, 1, may(3)]])

        // One backup is encrypted again with another key, one is pruned.
        const old = snapshot(a, '101', 1, 'encrypt', one)
        const gone = snapshot(a, '106', 1, 'none')
        yield* landOnce(rootOf('a'), [
          {
            model: 'snapshot',
            changes: [
              change('snapshot', yield* idOf(a, '101', may(1)), old, { key_fingerprint: two }),
              remove('snapshot', yield* idOf(a, '106', may(1)), gone),
            ],
          },
        ])
        expect(yield* keys).toEqual([
          [one, 3, 2, 2, may(3)],
          [two, 4, 3, 2, may(2)],
        ])
        yield* expectVerified

        const port = yield* EncryptionKeys
        const { rows } = yield* port.list({
          filter: {
            where: [{ field: 'only_group_count', lookup: 'gt', values: [1] }],
            order: [{ field: 'fingerprint', descending: true }],
          },
          ...{ limit: 10, offset: 0 },
        })
        expect(rows.map(({ fingerprint }) => fingerprint)).toEqual([two, one])
        const id = rows[1]?.id ?? 0
        const noted = yield* port.note({ id, change: { holder: 'Ann', checked_at: may(4) }, actor: by })
        expect(Option.getOrThrow(noted)).toMatchObject({
          holder: 'Ann',
          checked_at: may(4),
          location: '',
          snapshot_count: 3,
        })
        const hidden = port.note({ id: rows[0]?.id ?? 0, change: { holder: 'Bob' }, actor: by })
        expect(yield* Effect.locally(hidden, visibleServers, [b])).toEqual(Option.none())

        yield* (yield* InventoryWrites).remove({ model: 'server', rows: [{ id: a }], actor: by })
        // What was noted stays; a user of some servers does not see what opens nothing there.
        expect(yield* keys).toEqual([
          [one, 1, 1, 1, may(3)],
          [two, 0, 0, 0, null],
        ])
        expect(yield* seenOf([b])).toEqual([[one, 1, 1, 1, may(3)]])
      }),
    )
  })
})
