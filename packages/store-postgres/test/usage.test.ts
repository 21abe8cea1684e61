import { sizeFields, type UsagePoint, usageDays } from '@netbox-pbs/core'
import {
  type ChangeSets,
  DatastoreUsage,
  Inventory,
  InventoryLists,
  type InventoryWrites,
} from '@netbox-pbs/core/ports'
import { create, datastoreFacts, landOnce, may } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Stream } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

const unknownSizes = { used_bytes: null, total_bytes: null, avail_bytes: null, estimated_full_at: null }

describe.each(engines)('the usage of datastores on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  type Ports = InventoryWrites | Inventory | InventoryLists | ChangeSets | DatastoreUsage | Database
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const newServer = (name: string) =>
    Effect.map(
      Effect.flatMap(edits, (writes) =>
        writes.create({ model: 'server', rows: [{ name, host: 'h', token_id: 't@pbs!x' }] }),
      ),
      ([id = 0]) => id,
    )
  const point = (day: number, used_bytes: number, total_bytes = 1000): UsagePoint => ({
    time: may(day),
    used_bytes,
    total_bytes,
  })
  const observation = { used_bytes: 1, total_bytes: 2, avail_bytes: 1, gc_status: 'ok', estimated_full_at: null }
  /** Lands the datastores scope of a server with one store of these points. */
  const land = (server: string, id: number, usage: ReadonlyArray<UsagePoint> | null, first = false, at = may(20)) => {
    const facts = datastoreFacts(id, 'tank')
    const changes = first ? [create('datastore', facts), create('datastore', datastoreFacts(id, 'other'))] : []
    const values = usage === null ? observation : { ...observation, usage }
    const observed = [
      { key: [id, 'tank'] as const, values },
      { key: [id, 'other'] as const, values: observation },
    ]
    return landOnce({ resource: 'datastores', server }, [{ model: 'datastore', changes, observed }], { at })
  }
  const stores = (serverId: number) =>
    Effect.gen(function* () {
      const inventory = yield* Inventory
      const rows = [...(yield* Stream.runCollect(inventory.datastores({ serverId })))]
      return rows.find(({ facts }) => facts.name === 'tank')?.id ?? 0
    })
  const points = (datastoreId: number, limit = 100, offset = 0) =>
    Effect.flatMap(DatastoreUsage, (usage) => usage.points({ datastoreId, limit, offset }))
  /** Row versions: they tell a row that was written from one that was left alone. */
  const versions = Effect.gen(function* () {
    const database = yield* Database
    return yield* database.query('looking', async (db) => {
      const { rows } = await sql`select xmin::text, time from datastore_usage_points order by server_id, time`.execute(
        db,
      )
      return rows
    })
  })

  test('is added to, newest first and page by page, and stays when the source has forgotten it', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('u-1')
        yield* land('u-1', server, [point(1, 100), point(2, 200)], true)
        const id = yield* stores(server)
        expect(yield* points(id)).toEqual({ count: 2, rows: [point(2, 200), point(1, 100)] })
        yield* land('u-1', server, [point(2, 200), point(3, 300)])
        yield* land('u-1', server, null)
        expect(yield* points(id)).toEqual({ count: 3, rows: [point(3, 300), point(2, 200), point(1, 100)] })
        expect(yield* points(id, 1, 1)).toEqual({ count: 3, rows: [point(2, 200)] })
        expect(yield* points(id, 10, 3)).toEqual({ count: 3, rows: [] })
        expect(yield* points(999_999)).toEqual({ count: 0, rows: [] })
      }),
    )
  })

  test('that is told again writes no row, and a point is never rewritten', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('u-2')
        yield* land('u-2', server, [point(1, 100), point(2, 200)], true)
        const before = yield* versions
        yield* land('u-2', server, [point(1, 100), point(2, 200)])
        // The store has grown since: that says nothing of what it was.
        yield* land('u-2', server, [point(1, 200, 2000), point(2, 400, 2000)])
        expect(yield* versions).toEqual(before)
      }),
    )
  })

  test('is let go when it is too old, once something newer comes', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('u-3')
        yield* land('u-3', server, [point(1, 100), point(2, 200)], true)
        const id = yield* stores(server)
        const later = new Date(Date.parse(may(1)) + usageDays * 86_400_000).toISOString()
        yield* land('u-3', server, [point(1, 100), point(2, 200)], false, later)
        expect((yield* points(id)).count).toBe(2)
        yield* land('u-3', server, [point(1, 100), point(3, 300)], false, later)
        expect((yield* points(id)).rows).toEqual([point(3, 300), point(2, 200)])
      }),
    )
  })

  test('goes with its datastore, and along to another server', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* edits
        const server = yield* newServer('u-4')
        yield* land('u-4', server, [point(1, 100)], true)
        const id = yield* stores(server)
        const other = yield* newServer('u-5')
        yield* writes.update({ model: 'datastore', id, values: { server: other } })
        expect((yield* points(id)).count).toBe(1)
        yield* writes.remove({ model: 'datastore', id })
        expect((yield* points(id)).count).toBe(0)
      }),
    )
  })

  test('of slots that are not over yet is left out: the clock of the server is ahead', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('u-6')
        yield* land('u-6', server, [point(19, 100), point(20, 200), point(21, 300)], true, may(20))
        const id = yield* stores(server)
        expect((yield* points(id)).rows).toEqual([point(19, 100)])
      }),
    )
  })

  test('that cannot be told stays as it was last known, with its time, and is written once', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('u-7')
        const unknown = { ...observation, ...unknownSizes, unknown: [...sizeFields] }
        const landed = (day: number, values: object, first = false) =>
          landOnce(
            { resource: 'datastores', server: 'u-7' },
            [
              {
                model: 'datastore',
                changes: first ? [create('datastore', datastoreFacts(server, 'tank'))] : [],
                observed: [{ key: [server, 'tank'] as const, values }],
              },
            ],
            { at: may(day) },
          )
        const shown = Effect.map(
          Effect.flatMap(InventoryLists, (lists) =>
            lists.list({
              model: 'datastore',
              filters: [{ field: 'server', lookup: 'exact', values: [server] }],
              search: null,
              order: [],
              page: { _tag: 'offset', limit: 1, offset: 0 },
            }),
          ),
          ({ rows: [row] }) => [row?.used_bytes, row?.gc_status, row?.usage_at, row?.last_seen_at],
        )
        const observedVersion = Effect.flatMap(Database, (database) =>
          database.query('looking', async (db) => {
            const { rows } =
              await sql`select xmin::text from datastore_observations where server_id = ${server}`.execute(db)
            return rows
          }),
        )
        yield* landed(1, unknown, true)
        expect(yield* shown).toEqual([null, 'ok', null, may(1)])
        yield* landed(2, observation)
        expect(yield* shown).toEqual([1, 'ok', may(2), may(2)])
        yield* landed(3, observation)
        yield* landed(4, { ...unknown, gc_status: 'error' })
        expect(yield* shown).toEqual([1, 'error', may(3), may(4)])
        const version = yield* observedVersion
        yield* landed(5, { ...unknown, gc_status: 'error' })
        expect(yield* shown).toEqual([1, 'error', may(3), may(5)])
        expect(yield* observedVersion).toEqual(version)
        yield* landed(6, { ...observation, used_bytes: 2 })
        expect(yield* shown).toEqual([2, 'ok', may(6), may(6)])
        // A source that knows that there is no size says so.
        yield* landed(7, { ...observation, ...unknownSizes })
        expect(yield* shown).toEqual([null, 'ok', null, may(7)])
      }),
    )
  })
})
