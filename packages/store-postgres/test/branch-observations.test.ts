import { naturalKey } from '@netbox-pbs/core'
import type { Branches, ChangeSets, Inventory, InventoryWrites } from '@netbox-pbs/core/ports'
import { create, datastoreFacts, serverFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

describe.each(engines)('what was first read of a row that only a branch has, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
    runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  test('is refreshed with it, and becomes its reading when it lands', async () => {
    await run(
      Effect.gen(function* () {
        const { server, stores } = yield* newFleet('read')
        const { id } = yield* newBranch('read')
        const facts = datastoreFacts(server, 'new')
        const part = (used_bytes: number) => ({
          model: 'datastore' as const,
          changes: [create('datastore', facts)],
          observed: [
            {
              key: naturalKey('datastore', facts),
              values: {
                used_bytes,
                total_bytes: 100,
                avail_bytes: 100 - used_bytes,
                gc_status: 'ok',
                estimated_full_at: '2026-09-01T00:00:00Z',
                usage: [],
              },
            },
          ],
        })
        yield* stageOnce(id, stores, [part(10)])
        yield* stageOnce(id, stores, [part(20)])
        expect(yield* rows(`select observation from branch_datastores where branch_id = ${id}`)).toEqual([
          {
            observation: {
              used_bytes: 20,
              total_bytes: 100,
              avail_bytes: 80,
              gc_status: 'ok',
              estimated_full_at: '2026-09-01T00:00:00Z',
            },
          },
        ])
        yield* merge(id)
        expect(
          yield* rows(
            `select o.used_bytes, o.total_bytes, o.gc_status, o.estimated_full_at from datastore_observations o
              join datastores d on d.id = o.datastore_id where d.server_id = ${server} and d.name = 'new'`,
          ),
        ).toEqual([{ used_bytes: 20, total_bytes: 100, gc_status: 'ok', estimated_full_at: '2026-09-01T00:00:00Z' }])
      }),
    )
  })

  test('may be of a part of its fields', async () => {
    await run(
      Effect.gen(function* () {
        const { id } = yield* newBranch('partly')
        const facts = serverFacts('partly')
        yield* stageOnce(id, { resource: 'servers' }, [
          {
            model: 'server',
            changes: [create('server', facts)],
            observed: [
              {
                key: naturalKey('server', facts),
                values: { status: 'reachable', last_seen_at: '2026-06-02T00:00:00Z' },
              },
            ],
          },
        ])
        yield* merge(id)
        expect(
          yield* rows(
            `select o.status, o.last_seen_at, o.consecutive_failures from server_observations o join servers s on s.id = o.server_id where s.name = 'partly'`,
          ),
        ).toEqual([{ status: 'reachable', last_seen_at: '2026-06-02T00:00:00Z', consecutive_failures: 0 }])
      }),
    )
  })
})
