import { postgresUrl } from '@netbox-pbs/testing'
import { Effect, Redacted } from 'effect'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { Database } from '../database/database.ts'
import { bossDriver } from './boss.ts'

test('a connection on which a transaction of the queue has failed is not used again', async () => {
  const url = await postgresUrl()
  const one = Effect.gen(function* () {
    const database = yield* Database
    const boss = bossDriver(database.driver)
    const failing = 'begin; select 1; select 1 / 0; commit'
    const rejected = yield* Effect.promise(() => boss.executeSql(failing).then(() => null, String))
    const rows = yield* database.query('reading', async (db) => (await sql`select 2 as two`.execute(db)).rows)
    return { rejected, rows }
  })
  const layer = Database.layerPg({ url: Redacted.make(url), poolSize: 1 })
  expect(await Effect.runPromise(Effect.provide(one, layer))).toEqual({
    rejected: expect.stringContaining('division by zero'),
    rows: [{ two: 2 }],
  })
})
