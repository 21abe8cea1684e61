import { setImmediate } from 'node:timers/promises'
import { StoreFailed } from '@netbox-pbs/core/ports'
import { Data, Deferred, Effect, Exit, Fiber, ManagedRuntime, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { DatabaseUnusable, DataFolderInUse } from '../src/database/errors.ts'
import { TransactionAgain, type TransactionOptions } from '../src/database/session.ts'
import { engines, pg } from './engines.ts'

class Denied extends Data.TaggedError('Denied') {}

describe.each(engines)('the database on $engine', ({ empty }) => {
  const runtime = ManagedRuntime.make(empty)
  const run = <A, E>(effect: Effect.Effect<A, E, Database>) => runtime.runPromise(effect)
  const insert = (id: number) => sql`insert into notes values (${id})`
  const notes = Effect.flatMap(Database, (database) =>
    database.query(
      'reading',
      async (db) => (await sql<{ id: number }>`select id from notes order by id`.execute(db)).rows,
    ),
  )

  beforeAll(() =>
    run(
      Effect.flatMap(Database, (database) =>
        database.query('preparing', (db) => sql`create table notes (id bigint primary key)`.execute(db)),
      ),
    ),
  )
  afterAll(() => runtime.dispose())

  test('reads the same values', async () => {
    const values = await run(
      Effect.flatMap(Database, (database) =>
        database.query(
          'reading',
          async (db) =>
            (
              await sql`select 9007199254740991::bigint as big, '2026-05-01 02:00:00+00'::timestamptz as at, '2026-05-01 02:00:00.25+02'::timestamptz as fine,
              '{"a":[1,null]}'::jsonb as json, true as yes, null::text as none, ${'ü'}::text as text, ${'[1,"x"]'}::text::jsonb as given,
              ${'2026-05-01T02:00:00Z'}::timestamptz as later, 5 = any(${[4, 5]}::bigint[]) as any_of, 'é' = any(${['é', 'a"b']}::text[]) as any_text`.execute(
                db,
              )
            ).rows,
        ),
      ),
    )
    expect(values).toEqual([
      {
        big: 9007199254740991,
        at: '2026-05-01T02:00:00Z',
        fine: '2026-05-01T00:00:00.250000Z',
        json: { a: [1, null] },
        yes: true,
        none: null,
        text: 'ü',
        given: [1, 'x'],
        later: '2026-05-01T02:00:00Z',
        any_of: true,
        any_text: true,
      },
    ])
  })

  test('keeps a transaction that returns, and nothing of one that returns an error, throws or is a dry run', async () => {
    const attempt = <A>(id: number, end: () => A, options?: TransactionOptions) =>
      run(
        Effect.exit(
          Effect.flatMap(Database, (database) =>
            database.transaction(
              'writing',
              async (trx) => {
                await insert(id).execute(trx)
                return end()
              },
              options,
            ),
          ),
        ),
      )
    const bug = new Error('bug')
    const throwing = (): void => {
      throw bug
    }
    expect(await attempt(1, () => 'done')).toEqual(Exit.succeed('done'))
    expect(await attempt(2, () => new Denied())).toEqual(Exit.fail(new Denied()))
    expect(await attempt(3, throwing)).toEqual(Exit.die(bug))
    expect(await attempt(4, () => 'tried', { commit: false })).toEqual(Exit.succeed('tried'))
    expect(await run(notes)).toEqual([{ id: 1 }])
  })

  test('runs a transaction again that asks for it, from its beginning', async () => {
    let tries = 0
    const result = await run(
      Effect.flatMap(Database, (database) =>
        database.transaction('writing', async (trx) => {
          tries += 1
          await insert(20 + tries).execute(trx)
          if (tries < 6) throw new TransactionAgain()
          return tries
        }),
      ),
    )
    expect(result).toBe(6)
    expect(await run(notes)).toEqual([{ id: 1 }, { id: 26 }])
  })

  test('sends no statement of a transaction whose caller has left, and rolls it back', async () => {
    const [begun, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let stopped: unknown
    await run(
      Effect.gen(function* () {
        const database = yield* Database
        const writing = yield* Effect.fork(
          database.transaction('writing', async (trx) => {
            await insert(30).execute(trx)
            begun.resolve()
            await left.promise
            try {
              await insert(31).execute(trx)
            } catch (cause) {
              stopped = cause
              throw cause
            }
          }),
        )
        yield* Effect.promise(() => begun.promise)
        const interrupted = yield* Effect.fork(Fiber.interrupt(writing))
        yield* Effect.promise(() => setImmediate())
        left.resolve()
        yield* Fiber.join(interrupted)
      }),
    )
    expect(stopped).toMatchObject({ reason: 'abandoned' })
    expect(await run(notes)).toEqual([{ id: 1 }, { id: 26 }])
  })

  test('keeps two transactions that run at once apart', async () => {
    await run(
      Effect.gen(function* () {
        const database = yield* Database
        const first = yield* Deferred.make<void>()
        const failing = yield* Effect.fork(
          database.transaction('writing', async (trx) => {
            await insert(10).execute(trx)
            await Effect.runPromise(Deferred.succeed(first, undefined))
            return new Denied()
          }),
        )
        yield* Deferred.await(first)
        yield* database.transaction('writing', (trx) => insert(11).execute(trx))
        yield* Fiber.await(failing)
      }),
    )
    expect(await run(notes)).toEqual([{ id: 1 }, { id: 11 }, { id: 26 }])
  })

  test('a broken statement is a defect', async () => {
    const exit = await run(
      Effect.exit(Effect.flatMap(Database, (database) => database.query('reading', (db) => sql`selekt`.execute(db)))),
    )
    expect(Exit.isFailure(exit) && exit.cause._tag).toBe('Die')
  })
})

describe('opening', () => {
  const open = (url: string) =>
    Effect.runPromise(Effect.flip(Effect.provide(Database, Database.layerPg({ url: Redacted.make(url) }))))

  test('a server that does not answer is named without its password', async () => {
    const error = await open('postgres://me:secret@127.0.0.1:1/inventory')
    expect(error).toBeInstanceOf(DatabaseUnusable)
    expect(error.message).toBe(
      'PostgreSQL at 127.0.0.1:1/inventory cannot be reached: check that it runs and that the address is right',
    )
  })

  test('an address that is no URL is refused', async () => {
    expect((await open('not a url')).reason).toBe('bad_url')
  })

  test('a lost connection fails as unavailable, by name', async () => {
    const runtime = ManagedRuntime.make(pg.empty)
    const error = await runtime.runPromise(
      Effect.flatMap(Database, (database) =>
        database.query('asking', (db) => sql`select pg_terminate_backend(pg_backend_pid())`.execute(db)),
      ).pipe(Effect.flip),
    )
    expect(error).toBeInstanceOf(StoreFailed)
    expect(error.message).toBe('asking: the database does not answer; check that it runs and try again')
    await runtime.dispose()
  })
})

test('a connection lost between two statements of a transaction ends the transaction, not the process', async () => {
  const runtime = ManagedRuntime.make(pg.empty)
  const ended = (pid: number) =>
    Effect.flatMap(Database, (database) =>
      database.query('waiting', async (db) => {
        const { rows } = await sql`select from pg_stat_activity where pid = ${pid}::bigint`.execute(db)
        return rows.length === 0
      }),
    ).pipe(Effect.repeat({ until: (removed) => removed }))
  const error = await runtime.runPromise(
    Effect.flatMap(Database, (database) =>
      database.transaction('working', async (trx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid()::bigint as pid`.execute(trx)
        const pid = rows[0]?.pid ?? 0
        await runtime.runPromise(
          database.query('ending it', (db) => sql`select pg_terminate_backend(${pid}::integer)`.execute(db)),
        )
        await runtime.runPromise(ended(pid))
        await sql`select 1`.execute(trx)
      }),
    ).pipe(Effect.flip),
  )
  expect(error).toMatchObject({ _tag: 'StoreFailed', reason: 'unavailable', operation: 'working' })
  await runtime.dispose()
})

test('a data folder outlives its process, and only one has it open', async () => {
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const folder = mkdtempSync(`${tmpdir()}/netbox-pbs-data-`)
  const inFolder = Database.layerPglite({ dataDir: folder })
  const query = (text: string) =>
    Effect.flatMap(Database, (database) => database.query('asking', (db) => sql.raw(text).execute(db)))
  try {
    const second = await Effect.runPromise(
      Effect.andThen(query('create table kept as select 7 as x'), Effect.flip(Effect.provide(Database, inFolder))).pipe(
        Effect.provide(inFolder),
      ),
    )
    expect(second).toEqual(new DataFolderInUse({ folder, pid: process.pid }))
    const kept = await Effect.runPromise(Effect.provide(query('select x from kept'), inFolder))
    expect(kept.rows).toEqual([{ x: 7 }])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
