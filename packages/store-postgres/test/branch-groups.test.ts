import { Branches, type ChangeSets, type Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  landOnce,
  may,
  remove,
  rootOf,
  serverFacts,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { recountStale } from '../src/branches/stale-groups.ts'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { ask, openBranch, stageOnce } from './contract/branch.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

const actor = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }

describe.each(engines)('groups of branches on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** A server with a group 100 of snapshots on the first four days of May. */
  const newFleet = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [server] = yield* ask<{ id: number }>(`select id from servers where name = '${name}'`)
      const facts = [1, 2, 3, 4].map((day) => snapshotFacts(server?.id ?? 0, '100', may(day), { size_bytes: day }))
      yield* landOnce(rootOf(name), [{ model: 'snapshot', changes: facts.map((of) => create('snapshot', of)) }])
      const ids = yield* ask<{ id: number }>(
        `select id from snapshots where server_id = ${server?.id} order by backup_time`,
      )
      const snapshots = facts.map((of, nth) => ({ id: ids[nth]?.id ?? 0, facts: of }))
      return { server: server?.id ?? 0, scope: rootOf(name), snapshots }
    })
  const recount = (branch: number) => Effect.flatMap(Database, (database) => recountStale(database, branch))
  const counts = (branch: number) =>
    ask<{ id: string; text: string; removed: number; stale: boolean }>(`
      select backup_id as id, cardinality(removed) as removed, stale, concat_ws(' ', snapshot_count, extract(day from first_backup at time zone 'UTC'),
        extract(day from last_backup at time zone 'UTC'), coalesce(total_size::text, 'null'), newest_verification) as text
      from branch_group_counts where branch_id = ${branch} order by backup_id`)

  test('are counted when a run stages into them, and no longer when it stages nothing', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, snapshots } = yield* newFleet('staged')
        const { id: branch } = yield* openBranch('staged')
        const [first, , , last] = snapshots
        if (first === undefined || last === undefined) return expect.unreachable()
        yield* stageOnce(branch, scope, [
          {
            model: 'snapshot',
            changes: [
              remove('snapshot', first.id, first.facts),
              change('snapshot', last.id, last.facts, { verification_state: 'ok' }),
              create('snapshot', snapshotFacts(server, '200', may(5), { size_bytes: null })),
            ],
          },
        ])
        expect(yield* counts(branch)).toEqual([
          { id: '100', text: '3 2 4 9 ok', removed: 0, stale: false },
          { id: '200', text: '1 5 5 null ', removed: 0, stale: false },
        ])
        yield* stageOnce(branch, scope, [
          { model: 'snapshot', changes: [change('snapshot', first.id, first.facts, { comment: 'kept' })] },
        ])
        expect(yield* counts(branch)).toEqual([{ id: '100', text: '4 1 4 10 ', removed: 0, stale: false }])
        yield* stageOnce(branch, scope, [])
        expect(yield* counts(branch)).toEqual([])
      }),
    )
  })

  test('are recounted when a landing has changed them in main', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, snapshots } = yield* newFleet('landed')
        const { id: branch } = yield* openBranch('landed')
        const [first, second, third] = snapshots
        if (first === undefined || second === undefined || third === undefined) return expect.unreachable()
        const changes = [
          remove('snapshot', first.id, first.facts),
          change('snapshot', second.id, second.facts, { size_bytes: 20 }),
          create('snapshot', snapshotFacts(server, '100', may(6), { size_bytes: 60 })),
        ]
        yield* stageOnce(branch, scope, [{ model: 'snapshot', changes }])
        const arrived = [may(6), may(7)].map((day) =>
          create('snapshot', snapshotFacts(server, '100', day, { size_bytes: 70 })),
        )
        const left = [first, second].map(({ id, facts }) => remove('snapshot', id, facts))
        yield* landOnce(scope, [{ model: 'snapshot', changes: [...arrived, ...left] }])
        expect(yield* counts(branch)).toEqual([{ id: '100', text: '4 2 6 87 ', removed: 0, stale: true }])
        yield* recount(branch)
        // Of the two sixths of May the branch's own is seen; the second stays though main has lost it.
        expect(yield* counts(branch)).toEqual([{ id: '100', text: '5 2 7 157 ', removed: 1, stale: false }])
      }),
    )
  })

  test('are counted where a user has moved what a branch deletes', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, snapshots } = yield* newFleet('moved')
        const { id: branch } = yield* openBranch('moved')
        const [first] = snapshots
        if (first === undefined) return expect.unreachable()
        yield* stageOnce(branch, scope, [{ model: 'snapshot', changes: [remove('snapshot', first.id, first.facts)] }])
        const writes = yield* edits
        for (const backup_id of ['300', '400']) {
          yield* writes.update({ model: 'snapshot', id: first.id, values: { backup_id } })
          yield* recount(branch)
          expect(yield* counts(branch)).toEqual([{ id: backup_id, text: '0 null ', removed: 0, stale: false }])
        }
      }),
    )
  })

  test('are counted by every reader where a user has moved what a branch moves elsewhere', async () => {
    await run(
      Effect.gen(function* () {
        const { snapshots } = yield* newFleet('strays')
        const { id: branch } = yield* openBranch('strays')
        const [first] = snapshots
        if (first === undefined) return expect.unreachable()
        yield* ask(`
          insert into branch_snapshots (branch_id, id, op, touched, base, server_id, datastore_name, namespace, backup_type, backup_id, backup_time, size_bytes,
            verification_state)
          select ${branch}, id, 'update', '{backup_id}', '{"backup_id": "100"}', server_id, datastore_name, namespace, backup_type, '500', backup_time, size_bytes, ''
          from snapshots where id = ${first.id}`)
        yield* ask(`
          insert into branch_group_counts select distinct ${branch}, server_id, datastore_name, namespace, backup_type, g, 0, null::timestamptz, null::timestamptz,
            null::bigint, '', '{}'::bigint[], true from snapshots, (values ('100'), ('500')) k (g) where id = ${first.id}`)
        yield* recount(branch)
        expect(yield* counts(branch)).toEqual([
          { id: '100', text: '3 2 4 9 ', removed: 0, stale: false },
          { id: '500', text: '1 1 1 1 ', removed: 0, stale: false },
        ])
        const writes = yield* edits
        yield* writes.update({ model: 'snapshot', id: first.id, values: { backup_type: 'ct' } })
        yield* recount(branch)
        const strayed = [
          { id: '100', text: '0 null ', removed: 0, stale: false },
          { id: '500', text: '1 1 1 1 ', removed: 0, stale: true },
          { id: '500', text: '0 null ', removed: 0, stale: true },
        ]
        expect(yield* counts(branch)).toEqual(expect.arrayContaining(strayed))
        yield* Effect.flatMap(writesOneByOne, ({ remove: delete_ }) =>
          delete_({ model: 'snapshot', id: first.id, actor }),
        )
        yield* recount(branch)
        expect(yield* counts(branch)).toEqual([{ id: '500', text: '1 1 1 1 ', removed: 1, stale: false }])
      }),
    )
  })

  test('are main’s when a branch has ended', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, snapshots } = yield* newFleet('ended')
        const branches = yield* Branches
        const end = [
          (id: number) => Effect.asVoid(branches.close({ id, status: 'closed' })),
          (id: number) =>
            Effect.asVoid(branches.merge({ id, commit: true, by: actor, at: '2026-06-03T00:00:00Z', approval: false })),
        ]
        for (const [nth, ending] of end.entries()) {
          const { id: branch } = yield* openBranch(`ended ${nth}`)
          const of = snapshots[nth]
          if (of === undefined) return expect.unreachable()
          yield* stageOnce(branch, scope, [{ model: 'snapshot', changes: [remove('snapshot', of.id, of.facts)] }])
          expect((yield* counts(branch)).length).toBe(1)
          yield* ending(branch)
          expect(yield* counts(branch)).toEqual([])
        }
      }),
    )
  })
})
