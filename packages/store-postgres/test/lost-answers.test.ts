import { type DatabaseFault, databaseFaults, type PostgresRelay, postgresRelay, postgresUrl } from '@netbox-pbs/testing'
import { Effect, Layer, Logger, ManagedRuntime, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'

let relay: PostgresRelay
let lines: Array<string>
let runtime: ManagedRuntime.ManagedRuntime<Database, never>
beforeEach(async () => {
  lines = []
  relay = await postgresRelay(await postgresUrl())
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => void lines.push(String(message))),
  )
  const url = Redacted.make(relay.url)
  const database = Layer.orDie(Database.layerPg({ url, poolSize: 3, patienceMillis: 100, abandonedMillis: 2000 }))
  runtime = ManagedRuntime.make(Layer.provideMerge(database, logger))
  await runtime.runPromise(ask('create table notes (text text)'))
})
afterEach(async () => {
  await runtime.dispose()
  await relay.stop()
})

const ask = (text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('asking', async (db) => (await sql.raw<Record<string, unknown>>(text).execute(db)).rows),
  )
const write = Effect.flatMap(Database, (database) =>
  database.transaction('writing', (trx) => sql`insert into notes values ('one')`.execute(trx)),
)
const notes = Effect.map(ask('select text from notes'), ({ length }) => length)
const faultOf = (title: string): DatabaseFault => {
  const fault = databaseFaults.find((one) => one.title === title)
  if (fault === undefined) throw new Error(`no fault: ${title}`)
  return fault
}
const [begin, insert, commit] = [1, 2, 3]

test.each([
  ['cut before it arrives', 0],
  ['cut before the answer arrives', 1],
  ['silence before it arrives', 0],
  ['silence before the answer arrives', 1],
  ['session ended by an administrator', 0],
] as const)('a commit is told as unknown after: %s', async (title, rows) => {
  relay.watch({ at: commit, fault: faultOf(title) })
  const error = await runtime.runPromise(Effect.flip(write))
  expect(error).toMatchObject({
    reason: 'unknown',
    message:
      'writing: the connection to the database broke before it said whether this was done; look at it before you repeat it',
  })
  expect(await runtime.runPromise(notes)).toBe(rows)
})

test.each([
  ['disk full', 'full'],
  ['statement timeout', 'stopped'],
] as const)('a commit that PostgreSQL refuses was not done: %s', async (title, reason) => {
  relay.watch({ at: commit, fault: faultOf(title) })
  expect(await runtime.runPromise(Effect.flip(write))).toMatchObject({ reason })
  expect(await runtime.runPromise(notes)).toBe(0)
})

test.each([
  ['begin', begin],
  ['statement', insert],
])('a %s whose answer is lost was not done', async (_, at) => {
  relay.watch({ at, fault: faultOf('cut before the answer arrives') })
  expect(await runtime.runPromise(Effect.flip(write))).toMatchObject({ reason: 'unavailable' })
  expect(await runtime.runPromise(notes)).toBe(0)
})

test('sessions with a standby are closed, so that writes go on when the address leads to the primary', async () => {
  const sleep = ask('select pg_sleep(0.1)')
  relay.watch({ at: insert, fault: faultOf('failover to a standby that can only be read') })
  await runtime.runPromise(Effect.flip(write))
  // Three sessions that can only read.
  await runtime.runPromise(Effect.all([sleep, sleep, sleep], { concurrency: 3 }))
  const error = await runtime.runPromise(Effect.flip(write))
  expect(error.message).toBe(
    'writing: the database can only be read, as a standby; check that its address leads to the primary and try again',
  )
  await relay.heal()
  for (let times = 0; times < 3; times++) await runtime.runPromise(write)
  expect(await runtime.runPromise(notes)).toBe(3)
  expect(lines).toEqual(['connections to PostgreSQL could only read, as those to a standby, and were closed'])
})

test('the locks of a session whose client cannot be reached are free after a while', async () => {
  relay.watch({ at: commit, fault: faultOf('silence before it arrives') })
  await runtime.runPromise(
    Effect.flip(
      Effect.flatMap(Database, (database) =>
        database.transaction('locking', (trx) => sql`lock table notes`.execute(trx)),
      ),
    ),
  )
  // The session keeps its locks until PostgreSQL ends it.
  await runtime.runPromise(write)
  expect(await runtime.runPromise(notes)).toBe(1)
})
