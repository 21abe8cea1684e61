import { keyText, naturalKey, type ScopeResult } from '@netbox-pbs/core'
import { ChangeSetClosed, ChangeSets, type Inventory, Runs } from '@netbox-pbs/core/ports'
import {
  appendAll,
  create,
  groupFacts,
  landOnce,
  may,
  openFor,
  remove,
  rootOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Exit, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryReadsLayer } from '../src/inventory/inventory.ts'
import { changeSetsLayer } from '../src/ports/change-sets.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { rows } from './contract/branching.ts'
import { groupsOf, newGroup, newServer, snapshotsOf } from './contract/landed-group.ts'
import { engines } from './engines.ts'

const counts = { created: 0, updated: 0, deleted: 0, unchanged: 0, held_back: 0 }

describe.each(engines)('a landing as a transaction on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(Layer.mergeAll(changeSetsLayer, inventoryReadsLayer, runsLayer), migrated),
  )
  const run = <A, E>(effect: Effect.Effect<A, E, ChangeSets | Inventory | Runs | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  test('a landing that fails leaves nothing', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('atomic', [1])
        const changeSets = yield* ChangeSets
        const changeSet = yield* openFor(900, scope)
        yield* appendAll(changeSet, scope, [
          { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(2)))] },
        ])
        // A time that is none: the last statement of the landing fails.
        const landing = {
          changeSet,
          scope,
          runId: 900,
          visibility: null,
          held: null,
          listed: true,
          record: null,
        } as const
        const exit = yield* Effect.exit(changeSets.land({ ...landing, at: 'no time' }))
        expect(Exit.isFailure(exit)).toBe(true)
        expect((yield* snapshotsOf(server)).length).toBe(1)
        expect(yield* changeSets.land({ ...landing, at: '2026-06-09T00:00:00Z' })).toEqual({ ...counts, created: 1 })
      }),
    )
  })

  test('a run has the record of a scope exactly when it has landed', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('recorded', [1])
        const changeSets = yield* ChangeSets
        const runs = yield* Runs
        const { id } = yield* runs.create({ resources: ['snapshots'], servers: null, trigger: 'manual', user: 'ada' })
        const changeSet = yield* openFor(id, scope)
        yield* appendAll(changeSet, scope, [
          { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(2)))] },
        ])
        const landing = {
          changeSet,
          scope,
          runId: id,
          at: may(30),
          visibility: null,
          held: null,
          listed: true,
        } as const
        const landedRows = Effect.map(snapshotsOf(server), ({ length }) => length)
        const recorded = Effect.map(runs.scopes({ id, limit: 10, offset: 0 }), ({ rows }) => rows)
        const result = (touched: typeof counts): ScopeResult => ({
          scope,
          outcome: 'landed',
          reason: null,
          counts: touched,
          started: may(30),
          ended: may(30),
        })
        const dying = {
          serverId: server,
          result: () => {
            throw new Error('the worker is gone')
          },
        }
        expect(Exit.isFailure(yield* Effect.exit(changeSets.land({ ...landing, record: dying })))).toBe(true)
        expect([yield* landedRows, yield* recorded]).toEqual([1, []])

        yield* changeSets.land({ ...landing, record: { serverId: server, result } })
        expect([yield* landedRows, yield* recorded]).toEqual([2, [result({ ...counts, created: 1 })]])
      }),
    )
  })

  test('a closed change set leaves nothing behind', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('fenced', [1])
        const changeSets = yield* ChangeSets
        const changes = [create('snapshot', snapshotFacts(server, '100', may(2)))]
        const changeSet = yield* openFor(901, scope)
        yield* appendAll(changeSet, scope, [{ model: 'snapshot', changes }])
        yield* changeSets.close({ changeSet })
        expect(
          yield* rows(
            'select (select count(*) from staged_snapshots) + (select count(*) from change_set_parts) as left',
          ),
        ).toEqual([{ left: 0 }])
      }),
    )
  })

  test('a crash of the database closes what was open, and its number is not given again', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('crashed', [1])
        const changeSet = yield* openFor(905, scope)
        const part = { model: 'snapshot', changes: [create('snapshot', snapshotFacts(server, '100', may(2)))] } as const
        yield* appendAll(changeSet, scope, [part])
        // Recovery empties all unlogged tables.
        const unlogged = yield* rows<{ name: string }>(
          `select relname::text as name from pg_class where relkind = 'r' and relpersistence = 'u' order by 1`,
        )
        expect(unlogged.map(({ name }) => name)).toEqual([
          'change_set_parts',
          'change_sets',
          'staged_datastores',
          'staged_digests',
          'staged_groups',
          'staged_jobs',
          'staged_namespaces',
          'staged_observations',
          'staged_retained',
          'staged_servers',
          'staged_sightings',
          'staged_snapshots',
          'staged_tasks',
        ])
        yield* rows(`truncate ${unlogged.map(({ name }) => name).join(', ')}`)
        expect(yield* Effect.flip(appendAll(changeSet, scope, [part]))).toEqual(new ChangeSetClosed({ changeSet }))
        expect(yield* openFor(905, scope)).toBeGreaterThan(changeSet)
        expect(
          yield* rows(`select relpersistence::text as kept from pg_class where relname = 'change_set_ids'`),
        ).toEqual([{ kept: 'p' }])
      }),
    )
  })

  test('a scope without changes writes its own row and no other', async () => {
    await run(
      Effect.gen(function* () {
        const { scope } = yield* newGroup('quiet', [1, 2])
        const tables = [
          'servers',
          'datastores',
          'namespaces',
          'groups',
          'snapshots',
          'jobs',
          'server_observations',
          'datastore_observations',
          'job_observations',
          'scopes',
        ]
        const versions = () =>
          rows<{ name: string; place: string; version: string }>(
            tables
              .map((name) => `select '${name}' as name, ctid::text as place, xmin::text as version from ${name}`)
              .join(' union all '),
          )
        const before = new Set((yield* versions()).map((row) => JSON.stringify(row)))
        expect(yield* landOnce(scope, [], { at: '2026-06-20T00:00:00Z' })).toEqual(counts)
        const written = (yield* versions()).filter((row) => !before.has(JSON.stringify(row)))
        expect(written.map(({ name }) => name)).toEqual(['scopes'])
      }),
    )
  })

  test('two change sets that land one scope at once end as one', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('twice', [1])
        const days = [2, 3, 4, 5]
        const part = {
          model: 'snapshot',
          changes: days.map((day) => create('snapshot', snapshotFacts(server, '100', may(day)))),
        } as const
        const both = yield* Effect.all([landOnce(scope, [part]), landOnce(scope, [part])], { concurrency: 2 })
        expect(both.map(({ created, updated }) => [created, updated]).toSorted()).toEqual([
          [0, 0],
          [4, 0],
        ])
        expect(yield* rows(`select snapshot_count from groups where server_id = ${server}`)).toEqual([
          { snapshot_count: 5 },
        ])
      }),
    )
  })

  test('scopes larger than a window and a page land and are read whole', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('large')
        const scope = rootOf('large')
        const ids = Array.from({ length: 2001 }, (_, i) => String(i))
        const landed = yield* landOnce(scope, [
          { model: 'group', changes: ids.map((id) => create('group', groupFacts(server, id))) },
          {
            model: 'snapshot',
            changes: ids.flatMap((id) =>
              [1, 2, 3].map((day) => create('snapshot', snapshotFacts(server, id, may(day)))),
            ),
          },
        ])
        expect(landed).toEqual({ ...counts, created: 6003 })
        const groups = yield* groupsOf(server)
        expect(new Set(groups.map(({ facts }) => facts.backup_id))).toEqual(new Set(ids))
        expect(groups.length).toBe(2001)
        const snapshots = yield* snapshotsOf(server)
        expect(new Set(snapshots.map(({ facts }) => keyText(naturalKey('snapshot', facts)))).size).toBe(6003)
        expect(
          yield* rows(`select sum(snapshot_count)::bigint as sum from groups where server_id = ${server}`),
        ).toEqual([{ sum: 6003 }])
        const all = snapshots.map(({ id, facts }) => remove('snapshot', id, facts))
        const removed = groups.map(({ id, facts }) => remove('group', id, facts))
        expect(
          yield* landOnce(scope, [
            { model: 'snapshot', changes: all },
            { model: 'group', changes: removed },
          ]),
        ).toEqual({ ...counts, deleted: 6003 })
        expect(yield* groupsOf(server)).toEqual([])
      }),
    )
  })
})
