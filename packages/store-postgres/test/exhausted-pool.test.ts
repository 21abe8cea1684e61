import { postgresUrl } from '@netbox-pbs/testing'
import { Deferred, Effect, Fiber, Layer, ManagedRuntime, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'

const connections = 2
let runtime: ManagedRuntime.ManagedRuntime<Database, never>
beforeAll(async () => {
  const url = Redacted.make(await postgresUrl())
  runtime = ManagedRuntime.make(Layer.orDie(Database.layerPg({ url, poolSize: connections, connectMillis: 200 })))
})
afterAll(() => runtime.dispose())

const ask = Effect.flatMap(Database, (database) =>
  database.query('asking', async (db) => (await sql<{ one: number }>`select 1 as one`.execute(db)).rows),
)

/** Holds every connection, each in a transaction, until it is let go. */
const holdAll = Effect.gen(function* () {
  const database = yield* Database
  const free = Promise.withResolvers<void>()
  const fibers = yield* Effect.forEach(Array.from({ length: connections }), () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const holding = yield* Effect.fork(
        database.transaction('holding', async (trx) => {
          await sql`select 1`.execute(trx)
          Effect.runSync(Deferred.succeed(begun, undefined))
          await free.promise
        }),
      )
      yield* Deferred.await(begun)
      return holding
    }),
  )
  return Effect.zipRight(
    Effect.sync(() => free.resolve()),
    Fiber.joinAll(fibers),
  )
})

test.each([
  ['a statement', ask],
  ['a transaction', Effect.flatMap(Database, (database) => database.transaction('asking', async () => 1))],
])('%s that no connection comes free for says that others held them, and works afterwards', async (_, work) => {
  await runtime.runPromise(
    Effect.gen(function* () {
      const free = yield* holdAll
      const error = yield* Effect.flip(work as Effect.Effect<unknown, Error, Database>)
      expect(error).toMatchObject({
        reason: 'busy',
        message: 'asking: other requests used up the time that this one may wait; try again',
      })
      yield* free
      yield* work
      expect(yield* ask).toEqual([{ one: 1 }])
    }),
  )
})

test('one that waits gets the first connection that comes free', async () => {
  await runtime.runPromise(
    Effect.gen(function* () {
      const free = yield* holdAll
      const waiting = yield* Effect.fork(ask)
      yield* Effect.yieldNow()
      yield* free
      expect(yield* Fiber.join(waiting)).toEqual([{ one: 1 }])
    }),
  )
})
