import { naturalKey } from '@netbox-pbs/core'
import { type ChangeSets, Inventory, type Runs } from '@netbox-pbs/core/ports'
import {
  change,
  collect,
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  may,
  remove,
  rootOf,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryReadsLayer } from '../src/inventory/inventory.ts'
import { changeSetsLayer } from '../src/ports/change-sets.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { rows } from './contract/branching.ts'
import { groupsOf, newGroup, newServer, snapshotsOf } from './contract/landed-group.ts'
import { engines } from './engines.ts'

const counts = { created: 0, updated: 0, deleted: 0, unchanged: 0, held_back: 0 }

describe.each(engines)('landing on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(Layer.mergeAll(changeSetsLayer, inventoryReadsLayer, runsLayer), migrated),
  )
  const run = <A, E>(effect: Effect.Effect<A, E, ChangeSets | Inventory | Runs | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  test('creates what main lacks, with observations, counters and the digest of the frame', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('new')
        const inventory = yield* Inventory
        const tank = datastoreFacts(server, 'tank')
        expect(
          yield* landOnce({ resource: 'datastores', server: 'new' }, [
            {
              model: 'datastore',
              changes: [create('datastore', tank)],
              observed: [
                {
                  key: naturalKey('datastore', tank),
                  values: { used_bytes: 1, total_bytes: 9, avail_bytes: 8, gc_status: 'ok', estimated_full_at: may(9) },
                },
              ],
            },
          ]),
        ).toEqual({ ...counts, created: 1 })
        expect(yield* collect(inventory.datastores({ serverId: server }))).toEqual([
          { id: expect.any(Number), presence: 'listed', facts: tank },
        ])
        expect(
          yield* rows(
            `select used_bytes, gc_status, estimated_full_at from datastore_observations where server_id = ${server}`,
          ),
        ).toEqual([{ used_bytes: 1, gc_status: 'ok', estimated_full_at: may(9) }])

        yield* landOnce({ resource: 'namespaces', server: 'new', datastore: 'tank' }, [
          {
            model: 'namespace',
            changes: ['', 'site-a/rack-1'].map((path) => create('namespace', { server, datastore_name: 'tank', path })),
          },
        ])
        const group = groupFacts(server, '100')
        const files = [{ filename: 'odd "name"\\.img', size: 5, crypt_mode: 'none' }]
        const snapshots = [
          snapshotFacts(server, '100', may(1), { size_bytes: 700, verification_state: 'ok', manifest_files: files }),
          snapshotFacts(server, '100', '2026-05-02T02:00:00.000001Z', {
            size_bytes: null,
            verification_state: 'failed',
          }),
        ]
        expect(
          yield* landOnce(rootOf('new'), [
            { model: 'snapshot', changes: snapshots.map((facts) => create('snapshot', facts)) },
            {
              model: 'group',
              changes: [create('group', group)],
              digests: [{ key: naturalKey('group', group), digest: 'abc', listed: 2, listDigest: 'row' }],
            },
          ]),
        ).toEqual({ ...counts, created: 2 })
        expect(yield* groupsOf(server)).toEqual([
          { id: expect.any(Number), presence: 'listed', facts: group, digest: 'abc', listed: 2, listDigest: 'row' },
        ])
        expect((yield* snapshotsOf(server)).map(({ facts }) => facts)).toEqual(snapshots)
        expect(
          yield* rows(
            `select snapshot_count, first_backup, last_backup, total_size, newest_verification from groups where server_id = ${server}`,
          ),
        ).toEqual([
          {
            snapshot_count: 2,
            first_backup: may(1),
            last_backup: '2026-05-02T02:00:00.000001Z',
            total_size: 700,
            newest_verification: 'failed',
          },
        ])
        expect(
          yield* rows(
            `select path, depth, group_count, snapshot_count from namespaces where server_id = ${server} order by path`,
          ),
        ).toEqual([
          { path: '', depth: 0, group_count: 1, snapshot_count: 2 },
          { path: 'site-a/rack-1', depth: 2, group_count: 0, snapshot_count: 0 },
        ])
        expect(yield* inventory.scopeState(rootOf('new'))).toEqual({
          visibility: 'all',
          lastCompleteAt: '2026-06-01T00:00:00Z',
          rows: 2,
          held: 0,
          set: null,
        })
        expect(yield* collect(inventory.namespacesInUse({ serverId: server, datastore: 'tank' }))).toEqual([''])
      }),
    )
  })

  test('updates the touched columns alone; last_updated moves with facts only', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, group } = yield* newGroup('touched', [1, 2])
        const [first, second] = yield* snapshotsOf(server)
        if (first === undefined || second === undefined) throw new Error('no snapshots')
        yield* rows(
          `update snapshots set last_updated = '2020-01-01T00:00:00Z', owner = 'kept@pbs' where server_id = ${server}`,
        )
        const to = { comment: 'keep', protected: true, other_files: [{ filename: 'client.log.blob' }] }
        expect(
          yield* landOnce(scope, [
            {
              model: 'snapshot',
              changes: [
                change('snapshot', first.id, first.facts, to),
                change('snapshot', second.id, second.facts, {}, true),
              ],
            },
            {
              model: 'group',
              changes: [],
              digests: [{ key: naturalKey('group', group), digest: 'second', listed: 2 }],
            },
          ]),
        ).toEqual({ ...counts, updated: 2 })
        const found = yield* snapshotsOf(server)
        expect(found).toEqual([
          { ...first, facts: { ...first.facts, ...to, owner: 'kept@pbs' } },
          { ...second, facts: { ...second.facts, owner: 'kept@pbs' } },
        ])
        expect(
          yield* rows(
            `select last_updated > '2026-01-01' as moved from snapshots where server_id = ${server} order by id`,
          ),
        ).toEqual([{ moved: true }, { moved: false }])
        expect((yield* groupsOf(server))[0]?.digest).toBe('second')
      }),
    )
  })

  test('an observation that is new is written without moving last_updated, one that is the same not at all', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('read')
        const scope = { resource: 'jobs', server: 'read', job_type: 'verify' } as const
        const job = jobFacts(server, 'nightly', { options: { 'ignore-verified': true } })
        const key = naturalKey('job', job)
        const observed = (last_run_state: string) => [
          { key, values: { last_run_state, last_run_error: '', last_run_endtime: may(1), next_run: null } },
        ]
        const observe = (state: string) => landOnce(scope, [{ model: 'job', changes: [], observed: observed(state) }])
        const version = rows(
          `select o.last_run_state as state, o.xmin::text as written, j.last_updated
           from jobs j join job_observations o on o.server_id = j.server_id and o.job_id = j.id where j.server_id = ${server}`,
        )
        yield* landOnce(scope, [{ model: 'job', changes: [create('job', job)], observed: observed('ok') }])
        const jobs = yield* collect((yield* Inventory).jobs({ serverId: server, jobType: 'verify' }))
        expect(jobs).toEqual([{ id: expect.any(Number), presence: 'listed', facts: job }])
        const [before] = yield* version
        expect(yield* observe('ok')).toEqual(counts)
        expect(yield* version).toEqual([before])
        expect(yield* observe('error')).toEqual(counts)
        const [after] = yield* version
        expect(after).toEqual(Object.assign({}, before, { state: 'error', written: expect.not.stringMatching(/^$/) }))
        expect(after).not.toEqual(before)
      }),
    )
  })

  test('deletes rows and the groups that are left empty', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, group } = yield* newGroup('leaving', [1, 2])
        const snapshots = yield* snapshotsOf(server)
        const [known] = yield* groupsOf(server)
        const [first, second] = snapshots.map(({ id, facts }) => remove('snapshot', id, facts))
        if (first === undefined || second === undefined || known === undefined) throw new Error('no rows')
        expect(yield* landOnce(scope, [{ model: 'snapshot', changes: [first] }])).toEqual({ ...counts, deleted: 1 })
        expect(yield* rows(`select snapshot_count from groups where server_id = ${server}`)).toEqual([
          { snapshot_count: 1 },
        ])
        expect(
          yield* landOnce(scope, [
            { model: 'snapshot', changes: [second] },
            { model: 'group', changes: [remove('group', known.id, group)] },
          ]),
        ).toEqual({ ...counts, deleted: 1 })
        expect(yield* groupsOf(server)).toEqual([])
        expect((yield* Effect.flatMap(Inventory, (inventory) => inventory.scopeState(scope))).rows).toBe(0)
      }),
    )
  })

  test('held deletions stay as missing, without their digest and under the old visibility, until they reappear', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope, group } = yield* newGroup('held', [1, 2])
        const inventory = yield* Inventory
        const [first] = yield* snapshotsOf(server)
        if (first === undefined) throw new Error('no snapshot')
        const removed = remove('snapshot', first.id, first.facts)
        const frame = { key: naturalKey('group', group), digest: 'shorter', listed: 1 }
        const hold = (at: string) =>
          landOnce(
            scope,
            [
              { model: 'snapshot', changes: [removed] },
              { model: 'group', changes: [], digests: [frame] },
            ],
            { held: 'too_many', at, visibility: 'less' },
          )
        expect(yield* hold('2026-06-02T00:00:00Z')).toEqual({ ...counts, held_back: 1 })
        expect(yield* hold('2026-06-03T00:00:00Z')).toEqual({ ...counts, held_back: 1 })
        expect(
          yield* rows(`select presence, missing_since, last_seen_own from snapshots where id = ${first.id}`),
        ).toEqual([
          { presence: 'missing', missing_since: '2026-06-02T00:00:00Z', last_seen_own: '2026-06-01T00:00:00Z' },
        ])
        expect((yield* groupsOf(server))[0]?.digest).toBe(null)
        expect(yield* inventory.scopeState(scope)).toEqual({
          visibility: 'all',
          lastCompleteAt: '2026-06-03T00:00:00Z',
          rows: 2,
          held: 1,
          set: {
            id: expect.any(Number),
            state: 'waiting',
            revision: 1,
            reason: 'too_many',
            visibility: 'less',
            kept: false,
          },
        })

        const back = change('snapshot', first.id, first.facts, {}, true)
        yield* landOnce(
          scope,
          [
            { model: 'snapshot', changes: [back] },
            { model: 'group', changes: [], digests: [frame] },
          ],
          { visibility: 'less' },
        )
        expect(yield* rows(`select presence, missing_since from snapshots where id = ${first.id}`)).toEqual([
          { presence: 'listed', missing_since: null },
        ])
        expect((yield* groupsOf(server))[0]?.digest).toBe('shorter')
        expect(yield* inventory.scopeState(scope)).toMatchObject({ visibility: 'less', rows: 2, held: 0 })
      }),
    )
  })

  test('a row made by a user is adopted when the source reports its key', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('adopt', [1])
        yield* rows(
          `insert into snapshots (server_id, datastore_name, backup_type, backup_id, backup_time, owner, presence, tags)
           values (${server}, 'tank', 'vm', '100', '${may(2)}', 'me@pbs', 'manual', '[{"slug":"x"}]')`,
        )
        const facts = snapshotFacts(server, '100', may(2))
        expect(yield* landOnce(scope, [{ model: 'snapshot', changes: [create('snapshot', facts)] }])).toEqual({
          ...counts,
          updated: 1,
        })
        expect((yield* snapshotsOf(server)).map((row) => [row.presence, row.facts.owner])).toEqual([
          ['listed', 'root@pam'],
          ['listed', 'root@pam'],
        ])
        expect(yield* rows(`select tags from snapshots where server_id = ${server} order by id`)).toEqual([
          { tags: [] },
          { tags: [{ slug: 'x' }] },
        ])
      }),
    )
  })

  test('new rows land once each, next to one that is there already and one that is staged twice', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('next-to', [1])
        yield* rows(
          `insert into snapshots (server_id, datastore_name, backup_type, backup_id, backup_time, presence)
           values (${server}, 'tank', 'vm', '100', '${may(2)}', 'manual')`,
        )
        const of = (id: string, day: number, more: Partial<ReturnType<typeof snapshotFacts>> = {}) =>
          create('snapshot', snapshotFacts(server, id, may(day), more))
        const changes = [
          of('100', 4, { verification_state: 'failed' }),
          of('100', 3),
          of('100', 3, { comment: 'the last word' }),
          of('100', 2),
          of('200', 1),
        ]
        expect(yield* landOnce(scope, [{ model: 'snapshot', changes }])).toEqual({ ...counts, created: 3, updated: 1 })
        expect(
          yield* rows(`select backup_time, comment from snapshots where server_id = ${server} and comment <> ''`),
        ).toEqual([{ backup_time: may(3), comment: 'the last word' }])
        const counters = `select backup_id, snapshot_count, manual_count, last_backup, newest_verification from groups where server_id = ${server} order by backup_id`
        expect(yield* rows(counters)).toEqual([
          { backup_id: '100', snapshot_count: 4, manual_count: 0, last_backup: may(4), newest_verification: 'failed' },
          { backup_id: '200', snapshot_count: 1, manual_count: 0, last_backup: may(1), newest_verification: '' },
        ])
        const twice = of('300', 1)
        expect(yield* landOnce(scope, [{ model: 'snapshot', changes: [twice, twice] }])).toEqual({
          ...counts,
          created: 1,
        })
      }),
    )
  })

  test('groups are counted alike when all of a namespace is new, and when they or others had snapshots before', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('counted')
        const scope = rootOf('counted')
        const of = (id: string, day: number, verification_state: string, size_bytes: number | null) =>
          create('snapshot', snapshotFacts(server, id, may(day), { verification_state, size_bytes }))
        const landAll = (changes: ReadonlyArray<ReturnType<typeof of>>) =>
          landOnce(scope, [{ model: 'snapshot', changes }])
        const counters = rows(
          `select backup_id, snapshot_count as n, first_backup as first, last_backup as last, total_size as size, newest_verification as newest
           from groups where server_id = ${server} order by backup_id`,
        )
        // Not group by group, and not in the order of time: neither is promised.
        yield* landAll([of('a', 2, 'ok', 5), of('b', 9, 'ok', null), of('a', 5, 'failed', 7), of('a', 3, 'ok', null)])
        const b = { backup_id: 'b', n: 1, first: may(9), last: may(9), size: null, newest: 'ok' }
        expect(yield* counters).toEqual([
          { backup_id: 'a', n: 3, first: may(2), last: may(5), size: 12, newest: 'failed' },
          b,
        ])
        yield* landAll([of('a', 1, 'ok', 1), of('c', 4, 'failed', 2), of('a', 7, 'ok', 1), of('c', 2, 'ok', 3)])
        expect(yield* counters).toEqual([
          { backup_id: 'a', n: 5, first: may(1), last: may(7), size: 14, newest: 'ok' },
          b,
          { backup_id: 'c', n: 2, first: may(2), last: may(4), size: 5, newest: 'failed' },
        ])
      }),
    )
  })

  test('text that PostgreSQL cannot store does not stop the rows next to it', async () => {
    await run(
      Effect.gen(function* () {
        const { server, scope } = yield* newGroup('odd', [1])
        const facts = snapshotFacts(server, '100', may(2), { comment: 'a\0b \ud800 \\u0000 ü' })
        yield* landOnce(scope, [{ model: 'snapshot', changes: [create('snapshot', facts)] }])
        expect((yield* snapshotsOf(server))[1]?.facts.comment).toBe('a\uFFFDb \uFFFD \\u0000 ü')
      }),
    )
  })
})
