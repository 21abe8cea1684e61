import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryListsLayer } from '../src/lists/inventory-lists.ts'
import { migrations } from '../src/migrations/index.ts'
import { runMigrations } from '../src/migrations/run-migrations.ts'
import { verifyStored } from '../src/verification/verify.ts'
import { findings } from './contract/verified.ts'
import { engines, pg } from './engines.ts'

const table = 'netbox_pbs_migration'
const earlier = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0080'))

const query = <A>(text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
  )
const migrated = (set: typeof migrations) =>
  Effect.flatMap(Database, (database) =>
    database.transaction('migrating', (trx) => runMigrations(trx, { migrations: set, table })),
  )

/** Rows as an earlier release left them: groups of two namespaces, whose snapshots differ in what is counted. */
const rows = [
  `insert into servers (name, host, token_id, presence) values ('a', 'h', 't', 'listed'), ('b', 'h', 't', 'listed')`,
  `insert into snapshots (server_id, datastore_name, namespace, backup_type, backup_id, backup_time, owner, comment, verification_state, crypt_mode, protected, finished, size_bytes, presence)
   select v.id, 'tank', case g % 2 when 0 then '' else 'site/x' end, case g % 3 when 0 then 'ct' else 'vm' end, g::text, timestamptz '2026-05-01Z' + s * interval '1 day',
     case when s % 2 = 0 then 'Ada@PBS' else '' end, case when s = 3 then 'Größe' || chr(10) || 'ÉTÉ' when s = 4 then 'zz' else '' end,
     case when s = 2 then 'failed' else 'ok' end, case when g = 1 then 'encrypt' else 'none' end, s = 1, s < 5, 7, 'listed'
   from servers v, generate_series(1, 4) g, generate_series(0, 5) s`,
  `insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence, snapshot_count, first_backup, last_backup, unfinished_since, total_size, newest_verification)
   select server_id, datastore_name, namespace, backup_type, backup_id, 'listed', count(*), min(backup_time), max(backup_time) filter (where finished),
     min(backup_time) filter (where not finished), sum(size_bytes), 'ok' from snapshots group by 1, 2, 3, 4, 5`,
  `insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence) select id, 'tank', 'empty', 'vm', '9', 'listed' from servers`,
]

const searched = (search: string) =>
  Effect.flatMap(InventoryLists, (lists) =>
    Effect.map(
      lists.list({
        ...{ model: 'snapshot', filters: [], search, order: [] },
        page: { _tag: 'offset', limit: 5, offset: 0 },
      }),
      ({ count }) => count,
    ),
  )

const index = query(`select indexname from pg_indexes where indexname = 'groups_texts'`)

describe.each(engines)('a database of an earlier release on $engine', ({ engine, empty }) => {
  test('has what lists count afterwards, and finds by texts', async () => {
    const found = await Effect.runPromise(
      Effect.gen(function* () {
        yield* migrated(earlier)
        for (const statement of rows) yield* query(statement)
        yield* migrated(migrations)
        const results = yield* verifyStored({ only: ['groups.counters', 'scope_counts.counters'] })
        return {
          differences: findings(results),
          rows: results.map((result) => result.rows),
          counts: yield* Effect.forEach(['été', 'ADA@', 'zz', 'site', 'b'], searched),
          indexes: (yield* index).length,
        }
      }).pipe(Effect.provide(Layer.provideMerge(inventoryListsLayer, empty))),
    )
    expect(found).toEqual({
      differences: [],
      // Two servers with four groups of snapshots and an empty one; the scopes are told apart by type.
      rows: [10, 8],
      // The server `b` has 24, and an owner of the other one has the letter too.
      counts: [8, 24, 8, 24, 36],
      // The embedded engine is opened without its extensions.
      indexes: engine === 'pg' ? 1 : 0,
    })
  })
})

test('a role that may not create extensions migrates, and searches without the index', async () => {
  const found = await Effect.runPromise(
    Effect.gen(function* () {
      const database = yield* Database
      const role = `limited_${process.pid}`
      yield* query(`create role ${role}`)
      yield* query(`grant create, usage on schema public to ${role}`)
      yield* database.transaction('migrating', async (trx) => {
        await sql.raw(`set local role ${role}`).execute(trx)
        return await runMigrations(trx, { migrations, table })
      })
      for (const statement of rows.slice(0, 2)) yield* query(statement)
      const extensions = yield* query(`select from pg_extension where extname = 'pg_trgm'`)
      const result = {
        indexes: yield* index,
        extensions: extensions.length,
        applied: yield* query(`select from ${table}`),
      }
      yield* query(`drop owned by ${role}`)
      yield* query(`drop role ${role}`)
      return { ...result, applied: result.applied.length }
    }).pipe(Effect.provide(pg.empty)),
  )
  expect(found).toEqual({ indexes: [], extensions: 0, applied: Object.keys(migrations).length })
})
