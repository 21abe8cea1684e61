import { DefinitionStore, InventoryWrites, KeyTaken } from '@netbox-pbs/core/ports'
import { Effect, Either, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { lockUniqueValues } from '../src/custom-values/unique-values.ts'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { pg } from './engines.ts'

const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, pg.migrated))
const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof inventoryLayer> | Database>) =>
  runtime.runPromise(effect)
const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000003' }

let key: string
/** Datastores of different servers, so that no lock of a scope keeps their writers apart. */
let stores: ReadonlyArray<number>

beforeAll(async () => {
  ;[key, stores] = await run(
    Effect.gen(function* () {
      const definitions = yield* DefinitionStore
      const field = { name: 'serial', type: 'text', object_types: ['datastore'], unique: true }
      yield* definitions.create({ kind: 'custom_field', rows: [field], actor })
      const writes = yield* InventoryWrites
      const rows = ['a', 'b'].map((name) => ({ name, host: name, token_id: 'a@pbs!b' }))
      const servers = yield* writes.create({ model: 'server', rows, actor })
      const ids = yield* writes.create({
        ...{ model: 'datastore', actor },
        rows: servers.map((server) => ({ server, name: 'tank', path: '/tank' })),
      })
      const fields = yield* definitions.fieldsOf({ model: 'datastore' })
      return [fields[0]?.key ?? '', ids] as const
    }),
  )
})
afterAll(() => runtime.dispose())

const give = (id: number, value: string) =>
  Effect.flatMap(InventoryWrites, (writes) =>
    writes.update({ model: 'datastore', rows: [{ id, values: { set_custom_fields: { [key]: value } } }], actor }),
  )

/** A transaction that has given a value and does not end before it is let. */
function holding(id: number, value: string) {
  const wrote = Promise.withResolvers<void>()
  const end = Promise.withResolvers<boolean>()
  const ended = run(
    Effect.flatMap(Database, (database) =>
      database.transaction('testing', async (trx) => {
        await lockUniqueValues(trx, ['datastore'])
        await sql`
          update datastores set custom_fields = jsonb_build_object(${key}::text, ${value}::text) where id = ${id}::bigint`.execute(
          trx,
        )
        wrote.resolve()
        return (await end.promise) ? null : new Error('rolled back')
      }),
    ).pipe(Effect.either),
  )
  return { wrote: wrote.promise, end: end.resolve, ended }
}

const waiting = () =>
  run(
    Effect.flatMap(Database, (database) =>
      database.query('testing', (db) =>
        sql<{ count: number }>`
          select count(*) as count from pg_locks where not granted and locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())`.execute(db),
      ),
    ),
  ).then(({ rows }) => rows[0]?.count)

test.each([
  ['is refused once that has committed', true],
  ['gets the value once that was rolled back', false],
])('a writer waits for another one of the same model, and %s', async (_, commits) => {
  const [first = 0, second = 0] = stores
  const value = `value ${commits}`
  const other = holding(first, value)
  await other.wrote
  const written = run(Effect.either(give(second, value)))
  await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 20_000, interval: 20 })
  other.end(commits)
  await other.ended
  expect(await written).toEqual(
    commits
      ? Either.left(new KeyTaken({ model: 'datastore', index: 0, customField: 'serial' }))
      : Either.right(undefined),
  )
})
