import { type Facts, isOutdated, type KnownNodes, naturalKey, verificationKind, verifiedAt } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  groupFacts,
  landOnce,
  may,
  rootOf,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { Random } from './contract/random.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

const day = 86_400
const days = (ago: number) => Math.floor(Date.now() / 1000) - ago * day

/** A verification by a node, of a datastore, that began so many days ago. */
const upid = (node: string, store: string, ago: number) =>
  `UPID:${node}:000003F2:00001A2B:00000900:${days(ago).toString(16).toUpperCase().padStart(8, '0')}:verify:${store}:root@pam:`

describe.each(engines)('verifications on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  /** A server whose own tasks name a node. */
  const newServer = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      return (yield* serverIdOf(name)) ?? 0
    })
  const nameNode = (name: string, server: number, node: string) => {
    const facts: Facts<'task'> = {
      ...{ server, upid: `UPID:${node}:of-${name}`, node, worker_type: 'backup', worker_id: '', user: '' },
      ...{
        starttime: may(1),
        datastore_name: '',
        namespace: '',
        backup_type: '',
        backup_id: '',
        job_type: '',
        job_id: '',
      },
    }
    return landOnce({ resource: 'tasks', server: name }, [
      {
        model: 'task',
        changes: [create('task', facts)],
        observed: [{ key: naturalKey('task', facts), values: { endtime: may(1), outcome: 'ok', status: 'OK' } }],
      },
    ])
  }
  const listed = <M extends 'group' | 'snapshot'>(model: M) =>
    Effect.flatMap(InventoryLists, (lists) =>
      Effect.map(
        lists.list({ model, filters: [], search: null, order: [], page: { _tag: 'offset', limit: 1000, offset: 0 } }),
        (found) => found.rows,
      ),
    )
  const idOf = (server: number, time: string) =>
    Effect.map(
      rows<{ id: number }>(`select id from snapshots where server_id = ${server} and backup_time = '${time}'`),
      ([row]) => row?.id ?? 0,
    )

  test('are counted by place, state and age as core says, also when a node becomes known later', async () => {
    await run(
      Effect.gen(function* () {
        const random = new Random(7)
        const server = yield* newServer('a')
        const other = yield* newServer('b')
        const guests = ['100', '101', '102', '103']
        const made = guests.flatMap((id) =>
          Array.from({ length: 12 }, (_, nth) =>
            snapshotFacts(server, id, may(1 + nth), {
              verification_state: random.pick(['', 'ok', 'ok', 'ok', 'failed', 'odd']),
              verification_upid: random.pick([
                '',
                'UPID:node-a',
                upid('node-a', 'tank', 2),
                upid('node-a', 'tank', 29),
                upid('node-a', 'tank', 31),
                upid('node-a', 'tank', 300),
                upid('node-a', 'main', 300),
                upid('node-b', 'tank', 300),
                upid('node-c', 'tank', 300),
                'UPID:node-a:0:0:0:later:verify:tank:root@pam:',
              ]),
              comment: random.pick(['one', 'two']),
              finished: random.is(0.8),
            }),
          ),
        )
        yield* landOnce(rootOf('a'), [
          { model: 'group', changes: guests.map((id) => create('group', groupFacts(server, id))) },
          { model: 'snapshot', changes: made.map((facts) => create('snapshot', facts)) },
        ])
        const expectAsCore = (nodes: KnownNodes) =>
          Effect.gen(function* () {
            const now = Date.now() / 1000
            const groups = yield* listed('group')
            expect(
              groups.map((row) => ({
                id: row.backup_id,
                here: row.verified_here_count,
                elsewhere: row.verified_elsewhere_count,
                unknown: row.verified_unknown_count,
                failed: row.verification_failed_count,
                none: row.not_verified_count,
                outdated: row.verification_outdated_count,
                erased: row.verification_erased_count,
              })),
            ).toEqual(
              guests.map((id) => {
                const finished = made.filter((facts) => facts.backup_id === id && facts.finished)
                const count = (kind: string) => finished.filter((one) => verificationKind(one, nodes) === kind).length
                return {
                  ...{ id, here: count('here'), elsewhere: count('elsewhere'), unknown: count('unknown') },
                  ...{ failed: count('failed'), none: count('none'), erased: 0 },
                  outdated: finished.filter((one) => isOutdated(one, nodes, now)).length,
                }
              }),
            )
            const sum = (field: 'verified_here_count' | 'verification_outdated_count') =>
              groups.reduce((total, row) => total + (row[field] ?? 0), 0)
            return { here: sum('verified_here_count'), outdated: sum('verification_outdated_count') }
          })
        expect(yield* expectAsCore({ own: new Set(), others: new Set() })).toEqual({ here: 0, outdated: 0 })
        yield* nameNode('a', server, 'node-a')
        yield* nameNode('b', other, 'node-b')
        const { here, outdated } = yield* expectAsCore({ own: new Set(['node-a']), others: new Set(['node-b']) })
        expect(outdated).toBeGreaterThan(0)
        expect(here).toBeGreaterThan(outdated)
        yield* nameNode('b', other, 'node-a')
        const shared = { own: new Set(['node-a']), others: new Set(['node-a', 'node-b']) }
        expect(yield* expectAsCore(shared)).toEqual({ here: 0, outdated: 0 })

        const times = new Map(made.map((facts) => [`${facts.backup_id} ${facts.backup_time}`, verifiedAt(facts)]))
        const snapshots = yield* listed('snapshot')
        expect(
          new Map(
            snapshots.map(({ backup_id, backup_time, verified_at: at }) => [
              `${backup_id} ${backup_time}`,
              at === null ? null : Date.parse(at) / 1000,
            ]),
          ),
        ).toEqual(times)
        yield* expectVerified
      }),
    )
  })

  test('of this place that a pull overwrites are erased until this place verifies again', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('c')
        const other = yield* newServer('d')
        yield* nameNode('c', server, 'node-c1')
        yield* nameNode('d', other, 'node-d1')
        const here = upid('node-c1', 'tank', 3)
        const there = upid('node-d1', 'tank', 3)
        const verified = (at: string, verification_upid: string) =>
          snapshotFacts(server, '100', at, {
            verification_state: verification_upid === '' ? '' : 'ok',
            verification_upid,
          })
        const before = [verified(may(1), here), verified(may(2), here), verified(may(3), there), verified(may(4), here)]
        yield* landOnce(rootOf('c'), [
          { model: 'group', changes: [create('group', groupFacts(server, '100'))] },
          { model: 'snapshot', changes: before.map((facts) => create('snapshot', facts)) },
        ])
        const become = (nth: number, verification_upid: string, now = before[nth]) =>
          Effect.gen(function* () {
            if (now === undefined) return
            const id = yield* idOf(server, now.backup_time)
            const to = { verification_upid, verification_state: verification_upid === '' ? '' : 'ok' }
            yield* landOnce(rootOf('c'), [{ model: 'snapshot', changes: [change('snapshot', id, now, to)] }])
          })
        const erased = Effect.map(listed('snapshot'), (found) =>
          found
            .filter((row) => row.server === server)
            .toReversed()
            .map((row) => row.verification_erased_at !== null),
        )
        const counted = Effect.map(listed('group'), (found) =>
          found
            .filter((row) => row.server === server)
            .map((row) => [row.verified_here_count, row.verified_elsewhere_count, row.verification_erased_count]),
        )
        yield* become(0, there)
        yield* become(1, '')
        yield* become(2, upid('node-d1', 'tank', 1))
        yield* become(3, upid('node-z', 'tank', 1))
        // Of a node that is not known nothing can be said.
        expect(yield* erased).toEqual([true, true, false, false])
        expect(yield* counted).toEqual([[0, 2, 2]])
        // The source of the copies verifies again: what was erased here is not back.
        yield* become(0, upid('node-d1', 'tank', 0), verified(may(1), there))
        yield* become(1, there, verified(may(2), ''))
        expect(yield* erased).toEqual([true, true, false, false])
        yield* become(0, upid('node-c1', 'tank', 0), verified(may(1), upid('node-d1', 'tank', 0)))
        expect(yield* erased).toEqual([false, true, false, false])
        expect(yield* counted).toEqual([[1, 2, 1]])
        yield* expectVerified
      }),
    )
  })
})
