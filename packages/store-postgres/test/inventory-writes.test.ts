import { followsSettings, naturalKey, neverContacted } from '@netbox-pbs/core'
import {
  ChangeSets,
  Inventory,
  InventoryLists,
  type InventoryWrites,
  KeyTaken,
  ServerObservations,
} from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  groupFacts,
  landOnce,
  may,
  openFor,
  rootOf,
  serverFacts,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Chunk, Effect, Layer, ManagedRuntime, Option, Stream } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

// The contract suite covers this port as far as a sync needs it; here are all models and columns,
// which only the two engines write.

const unconnected = { host: 'h', token_id: 't@pbs!x' }

describe.each(engines)('edits on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  type Ports = Database | InventoryWrites | Inventory | InventoryLists | ChangeSets | ServerObservations
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const one = (effect: Effect.Effect<ReadonlyArray<number>, unknown, InventoryWrites>) =>
    Effect.map(effect, (ids) => ids[0] ?? 0)
  const server = (name: string) =>
    one(Effect.flatMap(edits, (writes) => writes.create({ model: 'server', rows: [{ name, ...unconnected }] })))
  const served = (model: 'server' | 'datastore' | 'group' | 'snapshot' | 'job', id: number) =>
    Effect.flatMap(InventoryLists, (lists) => Effect.map(lists.get({ model, id }), Option.getOrNull))
  const listed = (model: 'group' | 'snapshot' | 'datastore' | 'namespace', serverId: number) =>
    Effect.flatMap(InventoryLists, (lists) =>
      Effect.map(
        lists.list({
          model,
          filters: [{ field: 'server', lookup: 'exact', values: [serverId] }],
          search: null,
          order: [],
          page: { _tag: 'offset', limit: 50, offset: 0 },
        }),
        ({ rows }) => rows,
      ),
    )
  const key = (serverId: number, backup_id = '100', day = 1) => ({
    server: serverId,
    datastore_name: 'tank',
    backup_type: 'vm',
    backup_id,
    backup_time: may(day),
  })
  /** A server with one synced group of one snapshot; its digest is known. */
  const synced = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const id =
        (yield* Effect.flatMap(InventoryLists, (lists) => lists.serverIds({ names: [name, 'none'] }))).get(name) ?? 0
      const group = groupFacts(id, '100')
      const frame = { key: naturalKey('group', group), digest: 'known', listed: 1 }
      yield* landOnce(rootOf(name), [
        { model: 'snapshot', changes: [create('snapshot', snapshotFacts(id, '100', may(1)))] },
        { model: 'group', changes: [create('group', group)], digests: [frame] },
      ])
      const [snapshot] = yield* listed('snapshot', id)
      return { id, frame, snapshotId: snapshot?.id ?? 0, scope: rootOf(name) }
    })
  const digests = (serverId: number) =>
    Effect.flatMap(Inventory, (inventory) =>
      Effect.map(Stream.runCollect(inventory.groups({ serverId, datastore: 'tank', namespace: '' })), (groups) =>
        Chunk.toReadonlyArray(groups).map(({ digest }) => digest),
      ),
    )

  test('a row takes the defaults of what is not given, and its observations', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const serverId = yield* one(
          writes.create({
            model: 'server',
            rows: [{ name: 'defaults', ...unconnected, status: 'reachable', last_seen_at: may(3) }],
          }),
        )
        expect(yield* served('server', serverId)).toEqual({
          id: serverId,
          serverName: 'defaults',
          name: 'defaults',
          ...unconnected,
          port: 8007,
          fingerprint: '',
          verify_ssl: true,
          timeout_seconds: 30,
          ...neverContacted,
          status: 'reachable',
          version: '',
          timezone: '',
          endpoint_id: null,
          endpoint_state: 'none',
          ...followsSettings,
          last_seen_at: may(3),
          tags: [],
          custom_fields: {},
          created: expect.stringMatching(/Z$/),
          last_updated: expect.stringMatching(/Z$/),
        })
        const jobId = yield* one(
          writes.create({
            model: 'job',
            rows: [
              {
                server: serverId,
                job_type: 'gc',
                job_id: 'tank',
                next_run: may(9),
                last_seen_at: may(4),
                tags: [{ slug: 'a' }],
                custom_fields: { site: null },
              },
            ],
          }),
        )
        expect(yield* served('job', jobId)).toMatchObject({
          server: serverId,
          serverName: 'defaults',
          options: {},
          disable: false,
          last_run_state: 'unknown',
          last_run_error: '',
          last_run_endtime: null,
          next_run: may(9),
          missing_since: null,
          last_seen_at: may(4),
          tags: [{ slug: 'a' }],
          custom_fields: { site: null },
        })
      }),
    )
  })

  test('a bulk is all or nothing and names the first row whose key is taken', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const id = yield* server('bulk')
        const store = (name: string) => ({ server: id, name, path: '/p' })
        const ids = yield* writes.create({ model: 'datastore', rows: [store('b'), store('a')] })
        expect((yield* served('datastore', ids[0] ?? 0))?.serverName).toBe('bulk')
        expect((yield* listed('datastore', id)).map((row) => row.id)).toEqual([ids[1], ids[0]])
        expect(yield* Effect.flip(writes.create({ model: 'datastore', rows: [store('c'), store('b')] }))).toEqual(
          new KeyTaken({ model: 'datastore', index: 1 }),
        )
        expect(
          yield* Effect.flip(writes.create({ model: 'datastore', rows: [store('d'), store('e'), store('d')] })),
        ).toEqual(new KeyTaken({ model: 'datastore', index: 2 }))
        expect((yield* listed('datastore', id)).length).toBe(2)
        expect(yield* writes.create({ model: 'datastore', rows: [] })).toEqual([])
      }),
    )
  })

  test('a snapshot makes its group and its last one removes it; no namespace is invented', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const id = yield* server('grouped')
        const ids = yield* writes.create({
          model: 'snapshot',
          rows: [
            { ...key(id), size_bytes: 10 },
            { ...key(id, '100', 2), size_bytes: 5, verification_state: 'ok' },
          ],
        })
        expect(yield* listed('group', id)).toEqual([
          expect.objectContaining({
            namespace: '',
            snapshot_count: 2,
            first_backup: may(1),
            last_backup: may(2),
            total_size: 15,
            newest_verification: 'ok',
            last_seen_at: null,
          }),
        ])
        expect(yield* listed('namespace', id)).toEqual([])
        for (const snapshotId of ids) expect(yield* writes.remove({ model: 'snapshot', id: snapshotId })).toBe(true)
        expect(yield* writes.remove({ model: 'snapshot', id: ids[0] ?? 0 })).toBe(false)
        expect(yield* listed('group', id)).toEqual([])
      }),
    )
  })

  test('a change of a fact forgets the frame of the group, one of tags does not', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const { id, snapshotId } = yield* synced('forget')
        expect(yield* digests(id)).toEqual(['known'])
        yield* writes.update({ model: 'snapshot', id: snapshotId, values: { tags: [{ slug: 'mine' }] } })
        expect(yield* digests(id)).toEqual(['known'])
        yield* writes.update({ model: 'snapshot', id: snapshotId, values: { comment: 'mine' } })
        expect(yield* digests(id)).toEqual([null])
        expect(yield* served('snapshot', snapshotId)).toMatchObject({ comment: 'mine', tags: [{ slug: 'mine' }] })
      }),
    )
  })

  test('a landing that was read before a user wrote does not remember its frame; a later one does', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const changeSets = yield* ChangeSets
        const { id, snapshotId, scope, frame } = yield* synced('between')
        const changeSet = yield* openFor(5000, scope)
        yield* writes.update({ model: 'snapshot', id: snapshotId, values: { comment: 'mine' } })
        const digest = { ...frame, digest: 'read before', listDigest: null }
        yield* changeSets.append({ changeSet, scope, model: 'group', changes: [], digests: [digest] })
        yield* changeSets.land({
          changeSet,
          scope,
          runId: 5000,
          at: may(9),
          visibility: null,
          held: null,
          listed: true,
          record: null,
        })
        expect(yield* digests(id)).toEqual([null])
        const later = { ...frame, digest: 'read after' }
        yield* landOnce(scope, [{ model: 'group', changes: [], digests: [later] }])
        expect(yield* digests(id)).toEqual(['read after'])
      }),
    )
  })

  test('another key keeps the id, moves the counters and makes the row the user’s own', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const { id, snapshotId } = yield* synced('moving')
        expect(
          yield* writes.update({ model: 'snapshot', id: snapshotId, values: { backup_id: '200', owner: 'me@pbs' } }),
        ).toBe(true)
        expect((yield* listed('group', id)).map((row) => ('backup_id' in row ? row.backup_id : ''))).toEqual([
          '100',
          '200',
        ])
        expect(yield* served('snapshot', snapshotId)).toMatchObject({
          backup_id: '200',
          owner: 'me@pbs',
          last_seen_at: '2026-06-01T00:00:00Z',
        })
        const state = yield* Effect.flatMap(Inventory, (inventory) => inventory.scopeState(rootOf('moving')))
        expect(state.rows).toBe(0)
        yield* writes.create({ model: 'snapshot', rows: [key(id)] })
        expect(
          yield* Effect.flip(writes.update({ model: 'snapshot', id: snapshotId, values: { backup_id: '100' } })),
        ).toEqual(new KeyTaken({ model: 'snapshot', index: 0 }))
        expect(yield* writes.update({ model: 'snapshot', id: 999_999_999, values: { comment: '' } })).toBe(false)
        expect(yield* writes.update({ model: 'job', id: 999_999_999, values: { comment: '' } })).toBe(false)
      }),
    )
  })

  test('observations are written with the row; omitted ones stay', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const id = yield* server('readings')
        const store = { server: id, name: 'tank', path: '/p', used_bytes: 1, gc_status: 'ok' }
        const storeId = yield* one(writes.create({ model: 'datastore', rows: [store] }))
        yield* writes.update({ model: 'datastore', id: storeId, values: { used_bytes: 2 } })
        expect(yield* served('datastore', storeId)).toMatchObject({ used_bytes: 2, total_bytes: null, gc_status: 'ok' })
        const observations = yield* ServerObservations
        const seen = { ...neverContacted, status: 'reachable', last_seen_at: may(5) }
        const failed = { status: 'unreachable', status_since: may(6), consecutive_failures: 2, last_error: 'no route' }
        yield* observations.record({ serverId: id, health: seen })
        yield* observations.record({ serverId: id, health: { ...neverContacted, ...failed } })
        yield* observations.record({ serverId: 999_999_999, health: seen })
        expect(yield* served('server', id)).toMatchObject({ ...failed, last_seen_at: may(5) })
        const inventory = yield* Inventory
        const rows = yield* Stream.runCollect(Stream.filter(inventory.servers(), (row) => row.id === id))
        expect([...rows].map(({ health }) => health)).toEqual([{ ...neverContacted, ...failed, last_seen_at: may(5) }])
        const other = yield* server('readings-2')
        expect(yield* writes.update({ model: 'datastore', id: storeId, values: { server: other } })).toBe(true)
        expect(yield* served('datastore', storeId)).toMatchObject({ server: other, used_bytes: 2 })
      }),
    )
  })

  test('a server takes all that is below it along', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const lists = yield* InventoryLists
        const { id, snapshotId, scope } = yield* synced('gone')
        yield* writes.create({ model: 'job', rows: [{ server: id, job_type: 'gc', job_id: 'tank' }] })
        expect(yield* writes.remove({ model: 'server', id })).toBe(true)
        expect(yield* lists.existing({ model: 'server', ids: [id] })).toEqual(new Set())
        expect(yield* lists.existing({ model: 'snapshot', ids: [snapshotId] })).toEqual(new Set())
        expect(yield* listed('group', id)).toEqual([])
        const state = yield* Effect.flatMap(Inventory, (inventory) => inventory.scopeState(scope))
        expect(state).toEqual({ visibility: null, lastCompleteAt: null, rows: 0, held: 0, set: null })
      }),
    )
  })

  test('the moment a server’s endpoint becomes pending is remembered until it is not', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const id = yield* server('waiting')
        expect(yield* writes.pendingSince({ serverId: id })).toEqual(Option.none())
        yield* writes.update({ model: 'server', id, values: { endpoint_state: 'pending' } })
        const since = yield* writes.pendingSince({ serverId: id })
        expect(Option.isSome(since)).toBe(true)
        yield* writes.update({ model: 'server', id, values: { host: 'other' } })
        expect(yield* writes.pendingSince({ serverId: id })).toEqual(since)
        yield* writes.update({ model: 'server', id, values: { endpoint_state: 'connected' } })
        expect(yield* writes.pendingSince({ serverId: id })).toEqual(Option.none())
      }),
    )
  })

  test('a user’s datastore is adopted by the source with its tags', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const inventory = yield* Inventory
        const id = yield* server('adopted')
        const rows = [{ server: id, name: 'tank', path: '/wrong', tags: [{ slug: 'mine' }] }]
        const storeId = yield* one(writes.create({ model: 'datastore', rows }))
        const [main] = Chunk.toReadonlyArray(yield* Stream.runCollect(inventory.datastores({ serverId: id })))
        expect(main?.presence).toBe('manual')
        const facts = datastoreFacts(id, 'tank', { path: '/wrong' })
        yield* landOnce({ resource: 'datastores', server: 'adopted' }, [
          { model: 'datastore', changes: [change('datastore', storeId, facts, { path: '/right' }, true)] },
        ])
        expect(yield* served('datastore', storeId)).toMatchObject({
          path: '/right',
          tags: [{ slug: 'mine' }],
          last_seen_at: '2026-06-01T00:00:00Z',
        })
      }),
    )
  })
})
