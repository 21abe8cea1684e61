import { Queue, StoreFailed } from '@netbox-pbs/core/ports'
import { type FreezingProxy, freezingProxy, postgresUrl } from '@netbox-pbs/testing'
import { Effect, Either, Fiber, Layer, Logger, ManagedRuntime, Option, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { queueLayer } from '../src/queue/queue.ts'

let proxy: FreezingProxy
let lines: Array<string>
const open = async () => {
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => void lines.push(String(message))),
  )
  const database = Layer.orDie(Database.layerPg({ url: Redacted.make(proxy.url), poolSize: 3, patienceMillis: 200 }))
  return ManagedRuntime.make(Layer.provideMerge(queueLayer, Layer.provideMerge(database, logger)))
}

beforeEach(async () => {
  lines = []
  proxy = await freezingProxy(await postgresUrl())
})
afterEach(() => proxy.stop())

const ask = (text: string) =>
  Effect.flatMap(Database, (database) => database.query('asking', (db) => sql.raw(text).execute(db)))

/** Waits until PostgreSQL has been asked so often about sessions that do not answer. */
const looks = (expected: number) => {
  const seen = new Set<string>()
  return ask(
    "select query_start::text as at from pg_stat_activity where application_name = 'netbox-pbs control' and query_start is not null",
  ).pipe(
    Effect.map(({ rows }) => {
      for (const row of rows) seen.add((row as { readonly at: string }).at)
      return seen.size
    }),
    Effect.repeat({ until: (count) => count > expected }),
  )
}

test('statements on frozen connections fail, the connections are closed, and new ones serve', async () => {
  const runtime = await open()
  await runtime.runPromise(
    Effect.all([ask('select pg_sleep(0.1)'), ask('select pg_sleep(0.1)'), ask('select pg_sleep(0.1)')], {
      concurrency: 3,
    }),
  )
  proxy.freeze()
  const requested = await runtime.runPromise(
    Effect.all(
      ['1', '2', '3'].map((n) => Effect.either(ask(`select ${n}`))),
      { concurrency: 3 },
    ),
  )
  for (const answer of requested) expect(Either.getLeft(answer).pipe(Option.getOrThrow)).toBeInstanceOf(StoreFailed)
  await runtime.runPromise(ask('select 4'))
  await vi.waitFor(() => expect(proxy.frozen()).toBe(0), 60_000)
  // Three were lost, to one cause.
  expect(lines).toEqual(['connections to PostgreSQL no longer answered and were closed; new ones take their place'])
  await runtime.dispose()
})

test('idle connections are closed with the first that is found frozen, so that one statement pays for all', async () => {
  const runtime = await open()
  const sleep = ask('select pg_sleep(0.1)')
  await runtime.runPromise(Effect.all([sleep, sleep, sleep], { concurrency: 3 }))
  proxy.freeze()
  expect(await runtime.runPromise(Effect.flip(ask('select 1')))).toBeInstanceOf(StoreFailed)
  for (const number of [2, 3, 4]) await runtime.runPromise(ask(`select ${number}`))
  await vi.waitFor(() => expect(proxy.frozen()).toBe(0), 60_000)
  await runtime.dispose()
})

test('a transaction whose connection freezes fails, and leaves nothing behind', async () => {
  const runtime = await open()
  await runtime.runPromise(ask('create table notes (id bigint)'))
  const failed = await runtime.runPromise(
    Effect.flatMap(Database, (database) =>
      database.transaction('writing', async (trx) => {
        await sql`insert into notes values (1)`.execute(trx)
        proxy.freeze()
        await sql`insert into notes values (2)`.execute(trx)
      }),
    ).pipe(Effect.flip),
  )
  expect(failed).toMatchObject({ reason: 'unavailable', operation: 'writing' })
  const { rows } = await runtime.runPromise(ask('select * from notes'))
  expect(rows).toEqual([])
  await runtime.dispose()
})

test('a statement that PostgreSQL still works on is waited for, however long', async () => {
  const runtime = await open()
  await runtime.runPromise(
    Effect.gen(function* () {
      const database = yield* Database
      yield* ask('create table held (id bigint)')
      const [locked, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const holder = yield* Effect.fork(
        database.transaction('locking', async (trx) => {
          await sql`lock table held`.execute(trx)
          locked.resolve()
          await done.promise
        }),
      )
      yield* Effect.promise(() => locked.promise)
      const waiting = yield* Effect.fork(ask('insert into held values (1)'))
      yield* looks(3)
      done.resolve()
      yield* Fiber.join(holder)
      yield* Fiber.join(waiting)
    }),
  )
  expect(lines).toEqual([])
  await runtime.dispose()
})

test("the queue's own connections recover too", async () => {
  const runtime = await open()
  const claim = Effect.flatMap(Queue, (queue) => queue.claim())
  const enqueue = Effect.flatMap(Queue, (queue) =>
    queue.enqueue({ runId: 1, serverId: 7, resources: ['datastores'] }, { urgent: false }),
  )
  await runtime.runPromise(migrate)
  await runtime.runPromise(Effect.all([claim, claim, claim], { concurrency: 3 }))
  proxy.freeze()
  const tried = await runtime.runPromise(Effect.all([Effect.either(claim), Effect.either(claim)], { concurrency: 2 }))
  expect(tried.some(Either.isLeft)).toBe(true)
  await runtime.runPromise(Effect.retry(enqueue, { times: 5 }))
  const claimed = await runtime.runPromise(Effect.retry(claim, { times: 5 }))
  expect(Option.getOrThrow(claimed).job.serverId).toBe(7)
  await runtime.dispose()
})
