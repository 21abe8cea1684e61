import { InventoryWrites } from '@netbox-pbs/core/ports'
import { create, landOnce, may, snapshotFacts } from '@netbox-pbs/testing'
import { Deferred, Effect, Fiber, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { actor, newFleet, rows } from './contract/branching.ts'
import { pg } from './engines.ts'

const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, pg.migrated))
afterAll(() => runtime.dispose())

const waiting = (kind: 'relation' | 'advisory') =>
  Effect.map(
    rows<{ n: number }>(
      `select count(*)::int as n from pg_locks where not granted and locktype = '${kind}' and database = (select oid from pg_database where datname = current_database())`,
    ),
    ([row]) => (row?.n ?? 0) > 0,
  )

test('a snapshot that a user adds while its namespace lands is counted in it', async () => {
  await runtime.runPromise(
    Effect.gen(function* () {
      const { server } = yield* newFleet('counted')
      const release = yield* Deferred.make<void>()
      const database = yield* Database
      // The landing has counted what is below its new row, and cannot commit.
      const holder = yield* Effect.fork(
        database.transaction('holding the scopes', async (trx) => {
          await sql`lock table scopes in exclusive mode`.execute(trx)
          await Effect.runPromise(Deferred.await(release))
        }),
      )
      const row = create('namespace', { server, datastore_name: 'tank', path: 'a' })
      const landing = yield* Effect.fork(
        landOnce({ resource: 'namespaces', server: 'counted', datastore: 'tank' }, [
          { model: 'namespace', changes: [row] },
        ]),
      )
      yield* Effect.repeat(waiting('relation'), { until: (waits) => waits })
      const facts = { ...snapshotFacts(server, '100', may(1)), namespace: 'a' }
      const adding = yield* Effect.fork((yield* InventoryWrites).create({ model: 'snapshot', rows: [facts], actor }))
      const added = Effect.map(Fiber.poll(adding), (exit) => exit._tag === 'Some')
      yield* Effect.repeat(
        Effect.map(Effect.all([waiting('advisory'), added]), ([waits, ended]) => waits || ended),
        { until: (either) => either },
      )
      yield* Deferred.succeed(release, undefined)
      yield* Effect.all([Fiber.join(holder), Fiber.join(landing), Fiber.join(adding)])
      expect(
        yield* rows(`select group_count, snapshot_count from namespaces where server_id = ${server} and path = 'a'`),
      ).toEqual([{ group_count: 1, snapshot_count: 1 }])
    }),
  )
})
