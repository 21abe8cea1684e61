import { type Facts, type Filter, naturalKey, verificationPlace } from '@netbox-pbs/core'
import { Branches, InventoryLists } from '@netbox-pbs/core/ports'
import { create, groupFacts, landOnce, may, serverFacts, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migration } from '../src/migrations/0042-server-nodes.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { pruneTasks } from '../src/retention/retention.ts'
import { newBranch } from './contract/branching.ts'
import { engines } from './engines.ts'

const upid = (node: string, worker: string, id: string) =>
  `UPID:${node}:000003F2:00001A2B:00000900:6A1DF2D4:${worker}:${id}:root@pam:`

/** Verifications of snapshots in `tank-1` of a server whose own tasks name the nodes `pbs-a` and `twin`. */
const verifications: ReadonlyArray<readonly [state: string, upid: string]> = [
  ['', ''],
  ['ok', ''],
  ['ok', 'UPID:'],
  ['failed', upid('pbs-a', 'verify', 'tank\\x2d1')],
  ['ok', upid('pbs-a', 'verificationjob', 'tank\\x2d1\\x3av\\x2d1')],
  ['ok', upid('pbs-a', 'verify_snapshot', 'tank\\x2d1\\x3avm-101-6A1DF2D4')],
  ['ok', upid('pbs-a', 'verify', 'tank\\x2d10')],
  ['failed', upid('pbs-a', 'verify', 'main\\x3atank\\x2d1')],
  ['ok', upid('pbs-a', 'backup', 'tank\\x2d1')],
  ['ok', upid('pbs-a', 'verify', '')],
  ['ok', upid('', 'verify', 'tank\\x2d1')],
  ['ok', upid('pbs-b', 'verify_group', 'tank\\x2d1\\x3avm-101')],
  ['ok', upid('pbs-z', 'verify', 'tank\\x2d1')],
  ['ok', upid('pbs-z', 'verify', 'main')],
  ['ok', upid('twin', 'verify', 'tank\\x2d1')],
]
const nodes = { a: ['pbs-a', 'twin'], b: ['pbs-b', 'twin'] }
const known = { own: new Set(nodes.a), others: new Set(nodes.b) }

const task = (server: number, node: string, nth: number): Facts<'task'> => ({
  ...{ server, upid: `UPID:${node}:${nth}`, node, worker_type: 'backup', worker_id: '', user: '', starttime: may(1) },
  ...{ datastore_name: '', namespace: '', backup_type: '', backup_id: '', job_type: '', job_id: '' },
})

test.each(engines)('the place of a verification is what core says of it, in lists on $engine', async ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())
  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const newServer = (name: keyof typeof nodes) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
      const server = row?.id ?? 0
      const changes = nodes[name].flatMap((node) => [1, 2].map((nth) => task(server, node, nth)))
      yield* landOnce({ resource: 'tasks', server: name }, [
        {
          model: 'task',
          changes: changes.map((facts) => create('task', facts)),
          observed: changes.map((facts) => ({
            key: naturalKey('task', facts),
            values: { endtime: may(1), outcome: 'ok', status: 'OK' },
          })),
        },
      ])
      return server
    })
  const page = { _tag: 'offset', limit: 100, offset: 0 } as const
  const filtered = (field: string, place?: string): ReadonlyArray<Filter> =>
    place === undefined ? [] : [{ field, lookup: 'exact', values: [place] }]
  /** The places of all snapshots, or of those in one place. */
  const ofSnapshots = (lists: InventoryLists['Type'], place?: string) =>
    Effect.map(
      lists.list({ model: 'snapshot', filters: filtered('verification_place', place), search: null, order: [], page }),
      (found) => new Map(found.rows.map((row) => [`${row.backup_id} ${row.backup_time}`, row.verification_place])),
    )
  const ofGroups = (lists: InventoryLists['Type'], place?: string) =>
    Effect.map(
      lists.list({
        model: 'group',
        filters: filtered('newest_verification_place', place),
        search: null,
        order: [],
        page,
      }),
      (found) => new Map(found.rows.map((row) => [row.backup_id, row.newest_verification_place])),
    )

  await runtime.runPromise(
    Effect.gen(function* () {
      const server = yield* newServer('a')
      yield* newServer('b')
      const store = { datastore_name: 'tank-1' }
      // A group each, with an older snapshot that nothing has verified.
      const snapshots = verifications.flatMap(([verification_state, verification_upid], nth) => [
        snapshotFacts(server, String(100 + nth), may(2), { ...store, verification_state, verification_upid }),
        snapshotFacts(server, String(100 + nth), may(1), store),
      ])
      yield* landOnce({ resource: 'snapshots', server: 'a', datastore: 'tank-1', namespace: '' }, [
        {
          model: 'group',
          changes: verifications.map((_, nth) => create('group', groupFacts(server, String(100 + nth), store))),
        },
        { model: 'snapshot', changes: snapshots.map((facts) => create('snapshot', facts)) },
      ])
      const lists = yield* InventoryLists
      const expected = new Map<string, string>(
        snapshots.map((facts) => [`${facts.backup_id} ${facts.backup_time}`, verificationPlace(facts, known)]),
      )
      const newest = new Map<string, string>(
        snapshots
          .filter(({ backup_time }) => backup_time === may(2))
          .map((facts) => [facts.backup_id, verificationPlace(facts, known)]),
      )
      const places = ['here', 'elsewhere', 'unknown', 'none']
      expect([...new Set(expected.values())].toSorted()).toEqual(places.toSorted())
      expect(yield* ofSnapshots(lists)).toEqual(expected)
      expect(yield* ofGroups(lists)).toEqual(newest)
      for (const place of places) {
        const inPlace = (map: ReadonlyMap<string, string>) => new Map([...map].filter(([, one]) => one === place))
        expect(yield* ofSnapshots(lists, place)).toEqual(inPlace(expected))
        expect(yield* ofGroups(lists, place)).toEqual(inPlace(newest))
      }

      // In a branch that changes one of them, the others are as in main.
      const { id } = yield* newBranch('reviewed', 'operator')
      const overlay = (yield* Branches).overlay({ id })
      const copied = verifications.findIndex(([, text]) => text.includes(':verify_group:')) + 100
      const [changed] = yield* rows<{ id: number }>(
        `select id from snapshots where backup_id = '${copied}' and verification_state <> ''`,
      )
      yield* overlay.writes.update({
        model: 'snapshot',
        rows: [{ id: changed?.id ?? 0, values: { verification_state: 'failed' } }],
        actor: { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' },
      })
      expect(yield* ofSnapshots(overlay.lists)).toEqual(expected)
      expect(yield* ofGroups(overlay.lists)).toEqual(newest.set(String(copied), 'unknown'))

      // Nodes outlive the tasks that named them; a database of an earlier release has them from its tasks.
      yield* rows('drop table server_nodes')
      yield* (yield* Database).transaction('migrating', (trx) => migration.up(trx))
      yield* Effect.flatMap(Database, (database) => pruneTasks(database, { before: may(30), limit: 100 }))
      expect(yield* rows('select node from server_nodes order by server_id, node')).toEqual(
        [...nodes.a, ...nodes.b].map((node) => ({ node })),
      )
      expect(yield* rows('select count(*) as tasks from tasks')).toEqual([{ tasks: 0 }])
    }),
  )
})
