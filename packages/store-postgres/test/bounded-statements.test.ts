import { StoreFailed, statementLimit } from '@netbox-pbs/core/ports'
import { postgresUrl } from '@netbox-pbs/testing'
import { Duration, Effect, Exit, Fiber, ManagedRuntime, Option } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { controlConnections } from '../src/database/control-connections.ts'
import { Database } from '../src/database/database.ts'
import { inScope } from '../src/database/statement-scope.ts'
import { learnSession, watchedClient } from '../src/database/watched-client.ts'
import { pg, pglite } from './engines.ts'

const query = (text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('asking', async (db) => (await sql.raw<Record<string, unknown>>(text).execute(db)).rows),
  )

const until = (text: string, expected: (count: number) => boolean) =>
  query(text).pipe(
    Effect.repeat({ until: ([row]) => expected(Number(row?.['count'])) }),
    Effect.timeoutFail({ duration: '60 seconds', onTimeout: () => new Error(`never came: ${text}`) }),
  )

const sleeping = "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep(600%'"
const waiting = "select count(*) from pg_stat_activity where state = 'active' and wait_event_type = 'Lock'"

describe('on pg', () => {
  const runtime = ManagedRuntime.make(pg.empty)
  const run = <A, E>(effect: Effect.Effect<A, E, Database>) => runtime.runPromise(effect)
  beforeAll(() => run(query('create table notes (id bigint primary key, text text)')))
  afterAll(() => runtime.dispose())

  test('a statement whose caller leaves ends in the database too', async () => {
    await run(
      Effect.gen(function* () {
        const fibers = yield* Effect.forEach([1, 2], (n) => Effect.fork(query(`select pg_sleep(600 + ${n})`)))
        yield* until(sleeping, (count) => count === 2)
        yield* Fiber.interruptAll(fibers)
        yield* until(sleeping, (count) => count === 0)
      }),
    )
  })

  test('a request to cancel that the session ignored is sent again, and the connection stays', async () => {
    const config = { connectionString: await postgresUrl() }
    const control = controlConnections(config)
    const sent: Array<number> = []
    // A session ignores a request that arrives before it has begun the statement: here the first
    // one is lost for certain.
    const cancel = async (pid: number) => (sent.push(pid) === 1 ? undefined : await control.cancel(pid))
    let lost = 0
    const watching = { control: { ...control, cancel }, patienceMillis: 600_000, graceMillis: 60_000 }
    const client = new (watchedClient({ ...watching, onLost: () => lost++ }))(config)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await learnSession(client)
      const caller = new AbortController()
      const requested = inScope({ signal: caller.signal, limitMillis: null }, () =>
        client.query('select pg_sleep(600)'),
      )
      caller.abort()
      await expect(requested).rejects.toMatchObject({ reason: 'abandoned' })
      expect([lost, sent.length > 1]).toEqual([0, true])
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      await Promise.all([client.end(), control.end()])
    }
  })

  test('a session that has just ended its statement is looked at again before its connection counts as lost', async () => {
    const config = { connectionString: await postgresUrl() }
    const control = controlConnections(config)
    const states: Array<string> = []
    // The first look finds the session idle, as when the reply is under way.
    const stateOf = async (pid: number) => (states.push('look') === 1 ? 'other' : await control.stateOf(pid))
    let lost = 0
    const watching = { control: { ...control, stateOf }, patienceMillis: 50, onLost: () => lost++ }
    const client = new (watchedClient(watching))(config)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await learnSession(client)
      await client.query('select pg_sleep(0.5)')
      expect([lost, states.length > 1]).toEqual([0, true])
    } finally {
      await Promise.all([client.end(), control.end()])
    }
  })

  test('statements that wait for a lock leave the pool with their callers, and the others go on', async () => {
    await run(
      Effect.gen(function* () {
        const database = yield* Database
        const [locked, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
        const holder = yield* Effect.fork(
          database.transaction('locking', async (trx) => {
            await sql`lock table notes`.execute(trx)
            locked.resolve()
            await done.promise
          }),
        )
        yield* Effect.promise(() => locked.promise)
        // Two of them wait in the database, the rest for a connection: the pool has four, and one looks on.
        const fibers = yield* Effect.forEach(Array.from({ length: 12 }), () =>
          Effect.fork(query('select count(*) from notes')),
        )
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* Fiber.interruptAll(fibers)
        yield* until(waiting, (count) => count === 0)
        expect(yield* query('select 1 as one')).toEqual([{ one: 1 }])
        done.resolve()
        yield* Fiber.join(holder)
      }),
    )
  })

  test('a transaction whose caller leaves is rolled back at once, whatever it runs', async () => {
    await run(
      Effect.gen(function* () {
        const database = yield* Database
        const writing = yield* Effect.fork(
          database.transaction('writing', async (trx) => {
            await sql`insert into notes values (1, 'never')`.execute(trx)
            await sql`select pg_sleep(600)`.execute(trx)
          }),
        )
        yield* until(sleeping, (count) => count === 1)
        yield* Fiber.interrupt(writing)
        yield* until(sleeping, (count) => count === 0)
        expect(yield* query('select * from notes')).toEqual([])
      }),
    )
  })

  test('a statement of a request that exceeds the limit is cancelled and said to be too slow', async () => {
    await run(
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Effect.locally(query('select pg_sleep(600)'), statementLimit, Option.some(Duration.millis(100))),
        )
        expect(error).toMatchObject({ _tag: 'StoreFailed', reason: 'too_slow' })
        expect(error.message).toBe('asking: it took longer than a request may take and was stopped; ask for less')
        yield* until(sleeping, (count) => count === 0)
      }),
    )
  })

  test('the limit leaves transactions alone, and the connection serves the next caller', async () => {
    await run(
      Effect.gen(function* () {
        const database = yield* Database
        yield* Effect.locally(
          database.transaction('writing', (trx) => sql`select pg_sleep(0.3)`.execute(trx)),
          statementLimit,
          Option.some(Duration.millis(100)),
        )
        for (let n = 0; n < 20; n += 1) {
          const exit = yield* Effect.exit(
            Effect.locally(query('select pg_sleep(600)'), statementLimit, Option.some(Duration.millis(10))),
          )
          expect(Exit.isFailure(exit)).toBe(true)
          expect(yield* query('select 1 as one')).toEqual([{ one: 1 }])
        }
      }),
    )
  })

  test.each(Array.from({ length: 20 }, (_, n) => [n + 1]))(
    'two writers that wait for each other are both kept (round %i)',
    async (round) => {
      const [a, b] = [round * 10, round * 10 + 1]
      await run(query(`insert into notes values (${a}, ''), (${b}, '')`))
      const tries = { count: 0 }
      const writer = (
        first: number,
        second: number,
        mine: PromiseWithResolvers<void>,
        other: PromiseWithResolvers<void>,
      ) =>
        Effect.flatMap(Database, (database) =>
          database.transaction('writing', async (trx) => {
            tries.count += 1
            await sql`update notes set text = text || '+' where id = ${first}::bigint`.execute(trx)
            mine.resolve()
            await other.promise
            await sql`update notes set text = text || '+' where id = ${second}::bigint`.execute(trx)
          }),
        )
      const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      await run(Effect.all([writer(a, b, one, two), writer(b, a, two, one)], { concurrency: 'unbounded' }))
      expect(tries.count).toBeGreaterThan(2)
      expect(await run(query(`select text from notes where id in (${a}, ${b})`))).toEqual([
        { text: '++' },
        { text: '++' },
      ])
    },
  )

  test('a conflict that stays is told as one after four tries', async () => {
    const tries = { count: 0 }
    const error = await run(
      Effect.flatMap(Database, (database) =>
        database.transaction('landing', (trx) => {
          tries.count += 1
          return sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(trx)
        }),
      ).pipe(Effect.flip),
    )
    expect(tries.count).toBe(4)
    expect(error).toBeInstanceOf(StoreFailed)
    expect(error.message).toBe('landing: it and another write blocked each other; try again')
  })
})

describe('on pglite', () => {
  const runtime = ManagedRuntime.make(pglite.empty)
  afterAll(() => runtime.dispose())

  test('a statement whose caller leaves while it waits is never run', async () => {
    await runtime.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        yield* query('create table notes (id bigint primary key)')
        const [locked, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
        const holder = yield* Effect.fork(
          database.transaction('holding', async () => {
            locked.resolve()
            await done.promise
          }),
        )
        yield* Effect.promise(() => locked.promise)
        const left = yield* Effect.fork(query('insert into notes values (1)'))
        const stays = yield* Effect.fork(query('insert into notes values (2)'))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(left)
        done.resolve()
        yield* Fiber.join(holder)
        yield* Fiber.join(stays)
        expect(yield* query('select id from notes')).toEqual([{ id: 2 }])
      }),
    )
  })
})
