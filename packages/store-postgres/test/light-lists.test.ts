import { naturalKey, type ScopeFilter } from '@netbox-pbs/core'
import {
  Branches,
  ChangeSets,
  Inventory,
  InventoryLists,
  type InventoryWrites,
  type Runs,
} from '@netbox-pbs/core/ports'
import {
  appendAll,
  collect,
  create,
  groupFacts,
  landOnce,
  may,
  newBranch,
  openFor,
  rootOf,
  serverFacts,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

type Ports = Branches | ChangeSets | Database | Inventory | InventoryLists | InventoryWrites | Runs

const [fullAt, laterAt, tooOld] = ['2026-06-01T00:00:00Z', '2026-06-01T06:00:00Z', '2026-05-31T00:00:00Z'] as const

describe.each(engines)('what a light run knows, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const digests = (
    serverId: number,
    ids: ReadonlyArray<string>,
    listDigest = (id: string): string | null => `row ${id}`,
  ) =>
    ids.map((id) => ({
      key: naturalKey('group', groupFacts(serverId, id)),
      digest: `frame ${id}`,
      listed: 1,
      listDigest: listDigest(id),
    }))
  /** A server with the guests 100 and 200, listed in full at `fullAt`. */
  const listedInFull = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const database = yield* Database
      const { rows } = yield* database.query('asking', (db) =>
        sql<{ id: number }>`select id from servers where name = ${name}`.execute(db),
      )
      const serverId = rows[0]?.id ?? 0
      const ids = ['100', '200']
      const changes = ids.map((id) => create('snapshot', snapshotFacts(serverId, id, may(1))))
      yield* landOnce(
        rootOf(name),
        [
          { model: 'snapshot', changes },
          {
            model: 'group',
            changes: ids.map((id) => create('group', groupFacts(serverId, id))),
            digests: digests(serverId, ids),
          },
        ],
        { at: '2026-06-01T00:30:00Z', fullSince: fullAt },
      )
      return serverId
    })
  const known = (serverId: number, fullSince: string = fullAt) =>
    Effect.gen(function* () {
      const except = yield* (yield* Branches).coveredNamespaces({ serverId })
      const known = yield* collect(
        (yield* Inventory).knownGroups({ serverId, filter: null, light: { fullSince, except } }),
      )
      return known.flatMap(({ of, digest }) => (of === 'list' ? [digest] : []))
    })
  const snapshotOf = (serverId: number, id: string) =>
    Effect.gen(function* () {
      const lists = yield* InventoryLists
      const { rows } = yield* lists.list({
        model: 'snapshot',
        filters: [
          { field: 'server', lookup: 'exact', values: [serverId] },
          { field: 'backup_id', lookup: 'exact', values: [id] },
        ],
        search: null,
        order: [],
        page: { _tag: 'offset', limit: 1, offset: 0 },
      })
      return rows[0]?.id ?? 0
    })
  const task = (serverId: number, worker_type: string, endtime: string | null, datastore_name = 'tank') =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* database.query('a task', (db) =>
        sql`insert into tasks (server_id, upid, worker_type, starttime, endtime, datastore_name, presence)
          values (${serverId}, ${`UPID:${worker_type}:${endtime}:${datastore_name}`}, ${worker_type}, ${may(1)}::timestamptz, ${endtime}::timestamptz, ${datastore_name}, 'listed')`.execute(
          db,
        ),
      )
    })

  test('are the groups whose last frame main has, of namespaces that were listed in full lately', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* listedInFull('lately')
        expect(yield* known(server)).toEqual(['row 100', 'row 200'])
        expect(yield* known(server, '2026-06-01T00:00:01Z')).toEqual([])
      }),
    )
  })

  test('are the frames of all groups in a full run, and of the namespaces that a light run reads', async () => {
    const frames = [
      { of: 'frame', digest: 'frame 100' },
      { of: 'frame', digest: 'frame 200' },
    ]
    await run(
      Effect.gen(function* () {
        const serverId = yield* listedInFull('frames')
        const { knownGroups } = yield* Inventory
        expect(yield* collect(knownGroups({ serverId, filter: null, light: null }))).toEqual(frames)
        const light = { fullSince: '2026-06-01T00:00:01Z', except: [] }
        expect(yield* collect(knownGroups({ serverId, filter: null, light }))).toEqual(frames)
        const named = (filter: ScopeFilter) => collect(knownGroups({ serverId, filter, light: null }))
        expect(yield* named({ datastores: ['tank'], namespaces: [''] })).toEqual(frames)
        expect(yield* named({ datastores: ['tank'], namespaces: ['site-a'] })).toEqual([])
        expect(yield* named({ datastores: ['vault'] })).toEqual([])
        const id = yield* snapshotOf(serverId, '100')
        yield* (yield* edits).update({ model: 'snapshot', id, values: { comment: 'mine' } })
        expect(yield* collect(knownGroups({ serverId, filter: null, light: null }))).toEqual(frames.slice(1))
      }),
    )
  })

  test('are not those of a group that a user has edited since', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* listedInFull('edited')
        const id = yield* snapshotOf(server, '100')
        yield* (yield* edits).update({ model: 'snapshot', id, values: { comment: 'mine' } })
        expect(yield* known(server)).toEqual(['row 200'])
      }),
    )
  })

  test('are not those of a group whose row does not speak for its snapshots', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* listedInFull('odd')
        const part = {
          model: 'group' as const,
          changes: [],
          digests: digests(server, ['100'], () => null).map((one) => ({ ...one, digest: 'frame of a running backup' })),
        }
        yield* landOnce(rootOf('odd'), [part], { at: laterAt, fullSince: null })
        expect(yield* known(server)).toEqual(['row 200'])
      }),
    )
  })

  test.each([
    ['a verification of the datastore', 'verificationjob', laterAt, 'tank', []],
    ['a task that ended a little before, by a clock of its own', 'prune', '2026-05-31T23:55:00Z', 'tank', []],
    ['a task of a kind that nothing is known of', 'rewrite-all', laterAt, 'tank', []],
    ['a task that names no datastore', 'tape-restore', laterAt, '', []],
    ['a task that runs', 'verify', null, 'tank', ['row 100', 'row 200']],
    ['a task before', 'garbage_collection', tooOld, 'tank', ['row 100', 'row 200']],
    ['a task of another datastore', 'syncjob', laterAt, 'lake', ['row 100', 'row 200']],
    ['a backup', 'backup', laterAt, 'tank', ['row 100', 'row 200']],
    ['a task that touches no datastore', 'logrotate', laterAt, '', ['row 100', 'row 200']],
  ])('after %s', async (what, type, end, datastore, left) => {
    await run(
      Effect.gen(function* () {
        const server = yield* listedInFull(what)
        yield* task(server, type, end, datastore)
        expect(yield* known(server)).toEqual(left)
      }),
    )
  })

  test('are not those of a namespace whose changes wait in a branch', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* listedInFull('waiting')
        const branch = yield* newBranch('waiting')
        const scope = rootOf('waiting')
        const changeSet = yield* openFor(900, scope)
        const added = create('snapshot', snapshotFacts(server, '100', may(2)))
        yield* appendAll(changeSet, scope, [{ model: 'snapshot', changes: [added] }])
        const landing = { changeSet, scope, runId: 900, at: laterAt, visibility: 'all', held: null, listed: true }
        yield* (yield* ChangeSets).stage({ ...landing, branch: branch.id, record: null })
        expect(yield* known(server)).toEqual([])
      }),
    )
  })

  test('goes with a namespace: when its snapshots were last listed in full, and when lightly', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* listedInFull('times')
        yield* landOnce({ resource: 'namespaces', server: 'times', datastore: 'tank' }, [
          { model: 'namespace', changes: [create('namespace', { server, datastore_name: 'tank', path: '' })] },
        ])
        const lists = yield* InventoryLists
        const times = Effect.map(
          lists.list({
            model: 'namespace',
            filters: [{ field: 'server', lookup: 'exact', values: [server] }],
            search: null,
            order: [],
            page: { _tag: 'offset', limit: 1, offset: 0 },
          }),
          ({ rows }) => rows.map(({ last_full_at, last_light_at }) => [last_full_at, last_light_at]),
        )
        expect(yield* times).toEqual([[fullAt, null]])
        yield* landOnce(rootOf('times'), [], { at: laterAt, fullSince: null })
        expect(yield* times).toEqual([[fullAt, laterAt]])
        yield* landOnce(rootOf('times'), [], { at: laterAt, fullSince: '2026-06-01T05:00:00Z' })
        expect(yield* times).toEqual([['2026-06-01T05:00:00Z', laterAt]])
      }),
    )
  })
})
