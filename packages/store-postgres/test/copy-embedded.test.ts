import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { Effect, Fiber } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyEmbedded } from '../src/database/copy-embedded.ts'
import { Database } from '../src/database/database.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-copy-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const countsIn = async (copy: string) => {
  const db = await PGlite.create(copy)
  try {
    const { rows } = await db.query<{ debits: number; credits: number }>(
      'select (select count(*)::int from debits) as debits, (select count(*)::int from credits) as credits',
    )
    return rows[0]
  } finally {
    await db.close()
  }
}

/** Lets files be read and written, which statements of the engine alone would not. */
const turn = Effect.promise(() => setImmediate())

test('a copy made during transactions has all that was committed before, and of each transaction all or nothing', async () => {
  let committed = 0
  const before: Array<number> = []
  const after: Array<number> = []
  const copy = (at: number) => join(folder, `copy-${at}`, 'database')
  await Effect.gen(function* () {
    const { query, transaction } = yield* Database
    // They make the copy take as long as many transactions.
    const others = Array.from({ length: 200 }, (_, i) => `other_${i}`)
    for (const name of ['debits', ...others, 'credits'])
      yield* query('making a table', (db) => sql`create table ${sql.id(name)} (i int, filling text)`.execute(db))
    const write = transaction('writing to both', async (trx) => {
      await sql`insert into debits select i, repeat('x', 500) from generate_series(1, 100) i`.execute(trx)
      await sql`insert into credits select i, repeat('x', 500) from generate_series(1, 100) i`.execute(trx)
    }).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          committed += 100
        }),
      ),
      // What a checkpoint has written is not recovered: files of different times would show.
      Effect.zipRight(query('writing all files', (db) => sql`checkpoint`.execute(db))),
      Effect.zipRight(turn),
    )
    const writer = yield* Effect.fork(Effect.forever(write))
    for (const at of [0, 1, 2]) {
      // The writer has the session when the copy is asked for.
      const seen = committed
      yield* Effect.repeat(turn, { until: () => committed > seen })
      before.push(committed)
      yield* copyEmbedded(copy(at))
      after.push(committed)
    }
    yield* Fiber.interrupt(writer)
  }).pipe(Effect.provide(Database.layerPglite({ dataDir: join(folder, 'data') })), Effect.scoped, Effect.runPromise)

  expect(before[0]).toBeGreaterThan(0)
  for (const [at, least] of before.entries()) {
    // The transaction that was running ends, and one may follow the copy before it is told.
    expect((after[at] ?? 0) - least).toBeLessThanOrEqual(200)
    const counts = await countsIn(copy(at))
    expect(counts?.debits).toBe(counts?.credits)
    expect(counts?.debits).toBeGreaterThanOrEqual(least)
  }
})

test('a folder that cannot be written is named, and the database works on', async () => {
  const outcome = await Effect.gen(function* () {
    const failed = yield* Effect.flip(copyEmbedded('/dev/null/copy'))
    const { query } = yield* Database
    const { rows } = yield* query('asking on', (db) => sql<{ one: number }>`select 1 as one`.execute(db))
    return [failed._tag, failed.message, rows[0]?.one]
  }).pipe(Effect.provide(Database.layerPglite({ dataDir: join(folder, 'works-on') })), Effect.runPromise)
  expect(outcome).toEqual(['DatabaseNotCopied', expect.stringContaining('cannot be copied to /dev/null/copy'), 1])
})
