import { Branches, type ChangeSets, type Inventory, type InventoryWrites } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  groupFacts,
  landOnce,
  may,
  oneByOne,
  type Part,
  remove,
  rootOf,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Fiber, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { recountStale } from '../src/branches/stale-groups.ts'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { repairStored } from '../src/verification/repair.ts'
import { verifyStored } from '../src/verification/verify.ts'
import { newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { Random } from './contract/random.ts'
import { expectVerified, findings } from './contract/verified.ts'
import { engines } from './engines.ts'

type Ports = Branches | ChangeSets | InventoryWrites | Inventory | Database

/** Rounds of each writer; four times as many with NETBOX_PBS_RACES=all (`pnpm races`). */
const rounds = process.env['NETBOX_PBS_RACES'] === 'all' ? 120 : 30

/** Writes that meet another writer, whose row or key they wanted. */
const mayFail = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchAll(effect, (error) =>
    ['KeyTaken', 'ChangeSetClosed', 'RowNotFound'].includes(error._tag) ? Effect.void : Effect.die(error),
  )

let requests = 7_000_000

/** A source whose list of the root namespace is another one each time. */
const syncs = (name: string, server: number, random: Random, branch: number | null) =>
  Effect.gen(function* () {
    for (let nth = 0; nth < rounds; nth++) {
      const there = yield* rows<{ id: number; backup_id: string; backup_time: string }>(
        `select id, backup_id, backup_time from snapshots where server_id = ${server} and namespace = '' and presence <> 'manual'`,
      )
      const known = new Map(there.map((row) => [`${row.backup_id} ${row.backup_time}`, row]))
      const listed = ['100', '200'].flatMap((group) =>
        random.some([1, 2, 3, 4, 5], 0.6).map((day) => [`${group} ${may(day)}`, group, may(day)] as const),
      )
      const names = new Set(listed.map(([key]) => key))
      const snapshot: Part = {
        model: 'snapshot',
        changes: [
          ...listed.map(([key, group, time]) => {
            const row = known.get(key)
            const facts = snapshotFacts(server, group, time)
            return row === undefined
              ? create('snapshot', facts)
              : change('snapshot', row.id, facts, { size_bytes: random.upTo(999), finished: random.is(0.8) })
          }),
          ...there
            .filter((row) => !names.has(`${row.backup_id} ${row.backup_time}`))
            .map((row) => remove('snapshot', row.id, snapshotFacts(server, row.backup_id, row.backup_time))),
        ],
      }
      const parts = [
        snapshot,
        { model: 'group', changes: ['100', '200'].map((id) => create('group', groupFacts(server, id))) },
      ] satisfies ReadonlyArray<Part>
      if (branch === null) yield* mayFail(landOnce(rootOf(name), parts))
      else yield* mayFail(stageOnce(branch, rootOf(name), parts))
    }
  })

/** A person who makes, moves and removes snapshots, in main or in a branch. */
const editing = (server: number, random: Random, branch: number | null) =>
  Effect.gen(function* () {
    const writes = branch === null ? yield* writesOneByOne : oneByOne((yield* Branches).overlay({ id: branch }).writes)
    for (let nth = 0; nth < rounds; nth++) {
      const there = yield* rows<{ id: number }>(`select id from snapshots where server_id = ${server} order by id`)
      const actor = ada(++requests)
      const key = {
        namespace: random.pick(['', 'a']),
        backup_id: random.pick(['100', '300']),
        backup_time: may(10 + random.upTo(9)),
      }
      const what = random.pick(['make', 'change', 'move', 'remove'] as const)
      if (what === 'make' || there.length === 0)
        yield* mayFail(
          writes.create({ model: 'snapshot', rows: [{ ...snapshotFacts(server, '300', may(1)), ...key }], actor }),
        )
      else if (what === 'remove') yield* mayFail(writes.remove({ model: 'snapshot', id: random.pick(there).id, actor }))
      else {
        const values = what === 'move' ? key : { size_bytes: random.upTo(999) }
        yield* mayFail(writes.update({ model: 'snapshot', id: random.pick(there).id, values, actor }))
      }
      if (branch !== null) yield* recountStale(yield* Database, branch)
    }
  })

// The embedded engine has one session, in which no two transactions meet.
describe.each(engines.filter(({ engine }) => engine === 'pg'))('while others write, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const writers = (name: string, seed: number) =>
    Effect.gen(function* () {
      const { server } = yield* newFleet(name)
      const staged = yield* newFleet(`${name}-staged`)
      const ofRun = yield* newBranch(`${name} of a run`)
      const ofUser = yield* newBranch(`${name} of a user`, 'operator')
      return yield* Effect.fork(
        Effect.all(
          [
            syncs(name, server, new Random(seed), null),
            syncs(`${name}-staged`, staged.server, new Random(seed + 1), ofRun.id),
            editing(server, new Random(seed + 2), null),
            editing(staged.server, new Random(seed + 3), null),
            editing(server, new Random(seed + 4), ofUser.id),
          ],
          { concurrency: 'unbounded', discard: true },
        ),
      )
    })

  /** Repeats work that begins while the writers are at work; gives how often. */
  const during = <A, E, F>(fiber: Fiber.Fiber<A, E>, work: Effect.Effect<unknown, F, Ports>) =>
    Effect.gen(function* () {
      for (let times = 0; ; times++) {
        if ((yield* Fiber.poll(fiber))._tag === 'Some') {
          yield* Fiber.join(fiber)
          return times
        }
        yield* work
      }
    })

  test('a verification finds no difference that is none', async () => {
    await run(
      Effect.gen(function* () {
        const fiber = yield* writers('verified', 11)
        const times = yield* during(fiber, expectVerified)
        expect(times).toBeGreaterThan(3)
        yield* expectVerified
      }),
    )
  })

  test('a repair mends what is wrong and loses no change of a writer', async () => {
    await run(
      Effect.gen(function* () {
        const fiber = yield* writers('repaired', 29)
        let repaired = 0
        const spoil = rows(
          `update groups set snapshot_count = 77, total_size = 7 where id in (select id from groups order by md5(id::text || clock_timestamp()::text) limit 2)`,
        )
        const repair = Effect.map(repairStored(), (results) => {
          expect(results.filter(({ failed }) => failed > 0)).toEqual([])
          repaired += results.reduce((sum, result) => sum + result.repaired, 0)
        })
        // No repair comes after the writers, so nothing mends what one of them has spoiled.
        yield* during(fiber, Effect.zipRight(spoil, repair))
        expect(repaired).toBeGreaterThan(3)
        expect(findings(yield* verifyStored())).toEqual([])
      }),
    )
  })
})
