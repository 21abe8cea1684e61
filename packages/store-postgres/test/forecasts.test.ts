import { forecastOf, formatTimestamp, type UsagePoint, usageSlotSeconds } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { create, datastoreFacts, landOnce, serverFacts, serverIdOf } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

const slot = usageSlotSeconds
const last = Math.floor(Date.now() / 1000 / slot) * slot
const total = 10_000

/** Points of so many days, the last one a slot ago, by the used bytes at so many days before it. */
const points = (days: number, used: (ago: number) => number): ReadonlyArray<UsagePoint> =>
  Array.from({ length: days * 4 }, (_, nth) => {
    const ago = (days * 4 - 1 - nth) / 4
    return {
      time: formatTimestamp((last - slot - ago * 86_400) * 1000),
      used_bytes: Math.round(used(ago)),
      total_bytes: total,
    }
  })

const stores: Readonly<Record<string, ReadonlyArray<UsagePoint>>> = {
  fills: points(30, (ago) => 9000 - 100 * ago),
  later: points(30, (ago) => 5000 - 100 * ago),
  slowly: points(30, (ago) => 1000 - ago),
  shrinks: points(30, (ago) => 1000 + 10 * ago),
  young: points(3, (ago) => 9000 - 100 * ago),
  unseen: [],
}

describe.each(engines)('forecasts of datastores on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())

  test('follow their usage, filter and order their list, and say nothing once nothing is measured', async () => {
    await runtime.runPromise(
      Effect.gen(function* () {
        const lists = yield* InventoryLists
        yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts('a'))] }])
        const server = (yield* serverIdOf('a')) ?? 0
        const names = Object.keys(stores)
        const land = (at: number, first = false) =>
          landOnce(
            { resource: 'datastores', server: 'a' },
            [
              {
                model: 'datastore',
                changes: first ? names.map((name) => create('datastore', datastoreFacts(server, name))) : [],
                observed: names.map((name) => ({
                  key: [server, name],
                  values: {
                    ...{ used_bytes: 1, total_bytes: total, avail_bytes: 1, gc_status: 'ok', estimated_full_at: null },
                    ...{ gc_index_bytes: 1234, gc_disk_bytes: 100, gc_removed_bytes: 5, gc_pending_bytes: null },
                    ...{ gc_bad_chunks: 2, last_gc_at: formatTimestamp(last * 1000), last_gc_end: null },
                    usage: stores[name] ?? [],
                  },
                })),
              },
            ],
            { at: formatTimestamp(at * 1000) },
          )
        const versions = Effect.flatMap(Database, (database) =>
          database.query(
            'looking',
            async (db) => (await sql`select xmin::text from datastore_observations`.execute(db)).rows,
          ),
        )
        const listed = (query: Partial<Parameters<typeof lists.list<'datastore'>>[0]> = {}) =>
          Effect.map(
            lists.list({
              ...{ model: 'datastore', filters: [], search: null, order: [] },
              page: { _tag: 'offset', limit: 100, offset: 0 },
              ...query,
            }),
            (found) => found.rows,
          )
        yield* land(last, true)
        const rows = new Map((yield* listed()).map((row) => [row.name, row]))
        const shown = (name: string) => {
          const row = rows.get(name)
          return [row?.forecast, row?.growth_per_day, row?.days_until_full, row?.days_until_full_latest]
        }
        const days = (name: string) => {
          const found = forecastOf(stores[name] ?? [], last)
          // Some of the day has passed since the last slot began.
          return found.kind === 'grows' ? Math.floor(found.daysUntilFull - (Date.now() / 1000 - last) / 86_400) : null
        }
        expect(days('fills')).toBeGreaterThan(7)
        expect(shown('fills')).toEqual(['grows', 100, days('fills'), days('fills')])
        expect(shown('later')).toEqual(['grows', 100, days('later'), days('later')])
        expect(shown('slowly')).toEqual(['grows', 1, null, null])
        expect(shown('shrinks')).toEqual(['not_growing', -10, null, null])
        expect(shown('young')).toEqual(['too_little_data', null, null, null])
        expect(shown('unseen')).toEqual(['unknown', null, null, null])
        expect(rows.get('fills')).toMatchObject({ dedup_percent: 1234, gc_bad_chunks: 2, gc_removed_bytes: 5 })

        const soonest = yield* listed({ order: [{ field: 'days_until_full', descending: false }] })
        expect(soonest.slice(0, 2).map(({ name }) => name)).toEqual(['fills', 'later'])
        const within = yield* listed({ filters: [{ field: 'days_until_full', lookup: 'lte', values: [30] }] })
        expect(within.map(({ name }) => name)).toEqual(['fills'])
        const growing = yield* listed({ filters: [{ field: 'forecast', lookup: 'exact', values: ['not_growing'] }] })
        expect(growing.map(({ name }) => name)).toEqual(['shrinks'])

        const before = yield* versions
        yield* land(last + 60)
        expect(yield* versions).toEqual(before)

        // The list was complete long ago, and nothing was measured since.
        yield* Effect.flatMap(Database, (database) =>
          database.query('ageing', (db) =>
            sql`update scopes set last_complete_at = now() - interval '8 days' where resource = 'datastores'`.execute(
              db,
            ),
          ),
        )
        expect((yield* listed()).map(({ forecast, days_until_full }) => [forecast, days_until_full])).toEqual(
          names.map(() => ['unknown', null]),
        )
      }),
    )
  })
})
