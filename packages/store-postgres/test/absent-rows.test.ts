import { naturalKey, type Scope } from '@netbox-pbs/core'
import { Branches, ChangeSets, Inventory, type Landing } from '@netbox-pbs/core/ports'
import {
  appendAll,
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  may,
  openFor,
  type Part,
  remove,
  rootOf,
  serverFacts,
  snapshotFacts,
} from '@netbox-pbs/testing'
import { Chunk, Effect, Layer, ManagedRuntime, Stream } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const first = '2026-06-01T00:00:00Z'
const second = '2026-06-02T00:00:00Z'

describe.each(engines)('absent rows on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | Inventory | Database>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rows = <A>(text: string) =>
    Effect.flatMap(Database, (database) =>
      database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
    )
  const seen = (table: string, server: number) =>
    rows<{ id: number; presence: string }>(
      `select id, presence, missing_since, last_seen_own, last_updated = created as untouched from ${table}
        where server_id = ${server} order by id`,
    )
  /** A server with a store, its root namespace, a job, and two groups of two snapshots. */
  const newServer = (name: string) =>
    Effect.gen(function* () {
      yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
      const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
      const server = row?.id ?? 0
      yield* landOnce({ resource: 'datastores', server: name }, [
        { model: 'datastore', changes: [create('datastore', datastoreFacts(server, 'tank'))] },
      ])
      yield* landOnce({ resource: 'namespaces', server: name, datastore: 'tank' }, [
        { model: 'namespace', changes: [create('namespace', { server, datastore_name: 'tank', path: '' })] },
      ])
      yield* landOnce({ resource: 'jobs', server: name, job_type: 'verify' }, [
        { model: 'job', changes: [create('job', jobFacts(server, 'nightly'))] },
      ])
      yield* landOnce(rootOf(name), groupsPart(server))
      return server
    })
  const groupsPart = (server: number): ReadonlyArray<Part> => [
    {
      model: 'snapshot',
      changes: ['100', '200'].flatMap((id) =>
        [1, 2].map((day) => create('snapshot', snapshotFacts(server, id, may(day)))),
      ),
    },
    {
      model: 'group',
      changes: ['100', '200'].map((id) => create('group', groupFacts(server, id))),
      digests: ['100', '200'].map((id) => ({
        key: naturalKey('group', groupFacts(server, id)),
        digest: id,
        listed: 2,
      })),
    },
  ]
  const idOf = (table: string, where: string) =>
    Effect.map(rows<{ id: number }>(`select id from ${table} where ${where}`), ([row]) => row?.id ?? 0)
  const viewOf = (server: number, resource: string) =>
    Effect.map(
      rows<{ visibility: string | null }>(
        `select visibility from scopes where server_id = ${server} and resource = '${resource}'`,
      ),
      ([row]) => row?.visibility,
    )
  const noted = (...ids: ReadonlyArray<number>) => ({ noted: ids, returned: [] })
  const returned = (...ids: ReadonlyArray<number>) => ({ noted: [], returned: ids })

  test.each([
    ['datastore', 'datastores', (server: string): Scope => ({ resource: 'datastores', server })],
    ['namespace', 'namespaces', (server: string): Scope => ({ resource: 'namespaces', server, datastore: 'tank' })],
    ['job', 'jobs', (server: string): Scope => ({ resource: 'jobs', server, job_type: 'verify' })],
    ['group', 'groups', rootOf],
  ] as const)(
    'a %s is noted as absent since its first list, keeps the visibility that was known, and is listed again',
    async (model, table, scopeOf) => {
      await run(
        Effect.gen(function* () {
          const name = `noted-${model}`
          const server = yield* newServer(name)
          const scope = scopeOf(name)
          const before = yield* seen(table, server)
          const id = before[0]?.id ?? 0
          yield* landOnce(scope, [{ model, changes: [], sightings: noted(id) }], {
            at: second,
            visibility: 'narrow',
            runId: 77,
          })
          const absent = { id, presence: 'absent', missing_since: second, last_seen_own: first, untouched: true }
          expect(yield* seen(table, server)).toEqual([absent, ...before.slice(1)])
          expect(yield* rows(`select absent_run from ${table} where id = ${id}`)).toEqual([{ absent_run: 77 }])
          // A second note of the same absence changes nothing.
          yield* landOnce(scope, [{ model, changes: [], sightings: noted(id) }], { at: may(30), visibility: 'narrow' })
          expect((yield* seen(table, server))[0]).toEqual(absent)
          expect(yield* viewOf(server, scope.resource)).toBe('all')
          expect(yield* rows(`select from held_deletions where server_id = ${server}`)).toEqual([])
          yield* landOnce(scope, [{ model, changes: [], sightings: returned(id) }], { visibility: 'narrow' })
          expect((yield* seen(table, server)).map(({ presence }) => presence)).toEqual(before.map(() => 'listed'))
          expect(yield* viewOf(server, scope.resource)).toBe('narrow')
        }),
      )
    },
  )

  test('a group is so with its snapshots and without its frame; a row that a user has taken over since is not', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('shared')
        const group = yield* idOf('groups', `server_id = ${server} and backup_id = '100'`)
        const mine = yield* idOf(
          'snapshots',
          `server_id = ${server} and backup_id = '100' and backup_time = '${may(1)}'`,
        )
        yield* rows(`update snapshots set presence = 'manual' where id = ${mine}`)
        const ofGroup = `select presence, missing_since from snapshots where server_id = ${server} and backup_id = '100' order by backup_time`
        const counters = `select snapshot_count, missing_count, digest from groups where id = ${group}`
        yield* landOnce(rootOf('shared'), [{ model: 'group', changes: [], sightings: noted(group) }], { at: second })
        expect(yield* rows(ofGroup)).toEqual([
          { presence: 'manual', missing_since: null },
          { presence: 'absent', missing_since: second },
        ])
        expect(yield* rows(counters)).toEqual([{ snapshot_count: 2, missing_count: 0, digest: null }])
        const others = `select distinct presence from snapshots where server_id = ${server} and backup_id = '200'`
        expect(yield* rows(others)).toEqual([{ presence: 'listed' }])
        yield* landOnce(rootOf('shared'), [
          {
            model: 'group',
            changes: [],
            sightings: returned(group),
            digests: [{ key: naturalKey('group', groupFacts(server, '100')), digest: 'again', listed: 1 }],
          },
        ])
        expect(yield* rows(ofGroup)).toEqual([
          { presence: 'manual', missing_since: null },
          { presence: 'listed', missing_since: null },
        ])
        expect(yield* rows(counters)).toEqual([{ snapshot_count: 2, missing_count: 0, digest: 'again' }])
      }),
    )
  })

  test('a group without snapshots stays while it is absent, and goes with its deletion', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('bare')
        const facts = groupFacts(server, '300')
        yield* landOnce(rootOf('bare'), [{ model: 'group', changes: [create('group', facts)] }])
        const group = yield* idOf('groups', `server_id = ${server} and backup_id = '300'`)
        yield* landOnce(rootOf('bare'), [{ model: 'group', changes: [], sightings: noted(group) }], { runId: 78 })
        const inventory = yield* Inventory
        const groups = inventory.groups({ serverId: server, datastore: 'tank', namespace: '' })
        expect(Chunk.toReadonlyArray(yield* Stream.runCollect(groups)).at(-1)).toMatchObject({
          id: group,
          presence: 'absent',
          absentRun: 78,
          digest: null,
        })
        yield* landOnce(rootOf('bare'), [{ model: 'group', changes: [remove('group', group, facts)] }])
        expect(yield* rows(`select from groups where id = ${group}`)).toEqual([])
      }),
    )
  })

  test('an absent row whose deletion is held is missing since its first list', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('held')
        const scope = { resource: 'datastores', server: 'held' } as const
        const id = yield* idOf('datastores', `server_id = ${server}`)
        yield* landOnce(scope, [{ model: 'datastore', changes: [], sightings: noted(id) }], { at: second })
        const part = { model: 'datastore', changes: [remove('datastore', id, datastoreFacts(server, 'tank'))] } as const
        const counts = yield* landOnce(scope, [part], { at: '2026-06-03T00:00:00Z', held: 'visibility_changed' })
        expect(counts).toMatchObject({ deleted: 0, held_back: 1 })
        expect(yield* seen('datastores', server)).toMatchObject([
          { presence: 'missing', missing_since: second, last_seen_own: first },
        ])
      }),
    )
  })

  test('a list with rows left out deletes nothing, forgets the frames it read, and is no complete list', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('left-out')
        const removed = yield* idOf(
          'snapshots',
          `server_id = ${server} and backup_id = '100' and backup_time = '${may(1)}'`,
        )
        const parts: ReadonlyArray<Part> = [
          {
            model: 'snapshot',
            changes: [
              remove('snapshot', removed, snapshotFacts(server, '100', may(1))),
              create('snapshot', snapshotFacts(server, '100', may(3))),
            ],
          },
          {
            model: 'group',
            changes: [],
            digests: [{ key: naturalKey('group', groupFacts(server, '100')), digest: 'new', listed: 2 }],
          },
        ]
        const counts = yield* landOnce(rootOf('left-out'), parts, { at: second, visibility: 'other', leftOut: 1 })
        expect(counts).toMatchObject({ created: 1, deleted: 0, held_back: 0 })
        expect(yield* rows(`select presence from snapshots where id = ${removed}`)).toEqual([{ presence: 'listed' }])
        expect(
          yield* rows(`select backup_id, digest, snapshot_count from groups where server_id = ${server} order by 1`),
        ).toEqual([
          { backup_id: '100', digest: null, snapshot_count: 3 },
          { backup_id: '200', digest: '200', snapshot_count: 2 },
        ])
        expect(
          yield* rows(
            `select visibility, last_complete_at from scopes where server_id = ${server} and resource = 'snapshots'`,
          ),
        ).toEqual([{ visibility: 'all', last_complete_at: first }])
      }),
    )
  })

  test('where changes wait in a branch, absence is noted in main and nothing of it waits', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('branched')
        const group = yield* idOf('groups', `server_id = ${server} and backup_id = '100'`)
        const branches = yield* Branches
        const request = { name: 'absent', kind: 'sync', description: '', user: '', runId: 900, review: false } as const
        const { id: branch } = yield* branches.create(request)
        const stage = (parts: ReadonlyArray<Part>, more: Partial<Landing> = {}) =>
          Effect.gen(function* () {
            const changeSets = yield* ChangeSets
            const scope = rootOf('branched')
            const changeSet = yield* openFor(900, scope)
            yield* appendAll(changeSet, scope, parts)
            const landing = {
              changeSet,
              scope,
              runId: 900,
              at: second,
              visibility: 'all',
              held: null,
              listed: true,
              record: null,
            }
            return yield* changeSets.stage({ ...landing, branch, ...more })
          })
        const presences = rows(
          `select distinct presence from snapshots where server_id = ${server} and backup_id = '100'`,
        )
        expect((yield* stage([{ model: 'group', changes: [], sightings: noted(group) }])).branch).toBeNull()
        expect(yield* presences).toEqual([{ presence: 'absent' }])

        const deletion: Part = { model: 'group', changes: [remove('group', group, groupFacts(server, '100'))] }
        expect((yield* stage([deletion], { leftOut: 1 })).branch).toBeNull()
        expect((yield* stage([deletion])).branch).toBe(branch)
        expect(
          (yield* branches.get({ id: branch })).pipe((found) => ('value' in found ? found.value.changes : 0)),
        ).toBe(1)

        expect((yield* stage([{ model: 'group', changes: [], sightings: returned(group) }])).branch).toBeNull()
        expect(yield* presences).toEqual([{ presence: 'listed' }])
      }),
    )
  })
})
