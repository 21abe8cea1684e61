import { fieldsOfClass, modelNames, type Scope, scopeKey } from '@netbox-pbs/core'
import { Queue, Runs } from '@netbox-pbs/core/ports'
import { Effect, Exit, Layer, Option, Redacted } from 'effect'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migrations } from '../src/migrations/index.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { DatabaseTooNew, runMigrations } from '../src/migrations/run-migrations.ts'
import { migrateQueue } from '../src/queue/migrate-queue.ts'
import { queueLayer } from '../src/queue/queue.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { placeKey, scopePlace } from '../src/scopes/scope-place.ts'
import {
  factColumns,
  observationTable,
  observedColumns,
  operatorColumns,
  ownObservations,
  tables,
} from '../src/tables/columns.ts'
import { engines, pg } from './engines.ts'

const query = <A>(text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('asking', async (db) => (await sql.raw<A>(text).execute(db)).rows),
  )

/** Derived fields that lists make. */
const madeInLists: ReadonlySet<string> = new Set([
  'files',
  'last_full_at',
  'last_light_at',
  'usage_at',
  'dedup_percent',
  'forecast',
  'growth_per_day',
  'days_until_full',
  'days_until_full_soonest',
  'days_until_full_latest',
  'verification_place',
  'verified_at',
  'only_key',
  'key_count',
  'verified_here_count',
  'verified_elsewhere_count',
  'verified_unknown_count',
  'verification_outdated_count',
  'newest_verification_place',
  'protection',
  'protection_since',
  'health',
  'health_since',
  'due_at',
  'missed_runs',
  'failed_runs',
  'first_error',
  'last_good_run',
  'copy_of',
  'points_behind',
  'lag_since',
])

describe.each(engines)('migrations on $engine', ({ empty }) => {
  test('an empty database gets all of them, a migrated one none', async () => {
    const applied = await Effect.runPromise(Effect.provide(Effect.all([migrate, migrate]), empty))
    expect(applied).toEqual([Object.keys(migrations), []])
  })

  test('a database that has a migration of a newer release is left alone', async () => {
    const error = await Effect.runPromise(
      Effect.gen(function* () {
        yield* migrate
        yield* query(`insert into netbox_pbs_migration values ('9999_later', '2027-01-01T00:00:00Z')`)
        return yield* Effect.flip(migrate)
      }).pipe(Effect.provide(empty)),
    )
    expect(error).toEqual(new DatabaseTooNew({ migration: '9999_later' }))
  })

  test('a migration that fails leaves nothing behind', async () => {
    const found = await Effect.runPromise(
      Effect.gen(function* () {
        // In the way of the last table of the first migration.
        yield* query('create table staged_digests (x int)')
        expect(Exit.isFailure(yield* Effect.exit(migrate))).toBe(true)
        return yield* query(`select tablename from pg_tables where schemaname = 'public' order by 1`)
      }).pipe(Effect.provide(empty)),
    )
    expect(found).toEqual([{ tablename: 'staged_digests' }])
  })

  test('branches that wait know their servers by id afterwards, also those renamed since', async () => {
    const snapshots = (server: string, datastore = 'tank'): Scope => ({
      resource: 'snapshots',
      server,
      datastore,
      namespace: 'a"\\b/ü',
    })
    const found = await Effect.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        const earlier = Object.entries(migrations).filter(([name]) => name < '0015')
        yield* database.transaction('migrating', (trx) =>
          runMigrations(trx, { migrations: Object.fromEntries(earlier), table: 'netbox_pbs_migration' }),
        )
        yield* query(
          `insert into servers (id, name, host, token_id, presence) overriding system value values (1, 'stays', '', '', 'listed'), (2, 'new', '', '', 'listed'), (3, 'old', '', '', 'listed')`,
        )
        // Server 2 had the name `old` when its list was staged; server 3 took that name later.
        const log = (id: number, before: string, after: string, time: string) =>
          query(`insert into changes (time, action, model, object_id, title, request_id, user_name, before, after)
            values ('${time}', 'update', 'server', ${id}, '', '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001', 'ann', '{"name":"${before}"}', '{"name":"${after}"}')`)
        yield* log(2, 'old', 'new', '2026-06-02T00:00:00Z')
        yield* log(3, 'third', 'old', '2026-06-03T00:00:00Z')
        yield* query(
          `insert into branches (schema_id, name, kind, status) values ('abcdefgh', 'waits', 'sync', 'in_review')`,
        )
        const cover = (scope: Scope, at: string, held: string | null) =>
          query(`insert into branch_scopes (branch_id, scope_key, scope, run_id, held, listed_at, listed)
            values (1, '${scopeKey(scope)}', '${JSON.stringify(scope)}', 1, ${held === null ? 'null' : `'${held}'`}, '${at}', true)`)
        yield* cover({ resource: 'servers' }, '2026-06-01T00:00:00Z', null)
        yield* cover(snapshots('stays'), '2026-06-01T00:00:00Z', null)
        yield* cover(snapshots('old'), '2026-06-01T00:00:00Z', 'too_many')
        yield* cover(snapshots('new'), '2026-06-04T00:00:00Z', null)
        yield* cover(snapshots('unknown'), '2026-06-01T00:00:00Z', 'emptied')
        yield* query(`insert into branch_conflicts (branch_id, model, scope_key, scope, title, kind, base, main, branch, resolution)
          values (1, 'snapshot', '${scopeKey(snapshots('old'))}', '${JSON.stringify(snapshots('old'))}', '', 'guard', 'null', 'null', 'null', '{"choice":"main"}')`)
        yield* migrate
        return yield* Effect.all([
          query(`select scope_key, server_id, held from branch_scopes order by scope_key`),
          query(`select scope_key, server_id, resolution from branch_conflicts`),
        ])
      }).pipe(Effect.provide(empty)),
    )
    const place = (scope: Scope, id: number | null) => placeKey(scopePlace(scope, id))
    expect(found).toEqual([
      [
        { scope_key: scopeKey(snapshots('unknown')), server_id: null, held: 'emptied' },
        { scope_key: place({ resource: 'servers' }, null), server_id: null, held: null },
        { scope_key: place(snapshots(''), 1), server_id: 1, held: null },
        { scope_key: place(snapshots(''), 2), server_id: 2, held: 'too_many' },
      ].toSorted((a, b) => (a.scope_key < b.scope_key ? -1 : 1)),
      [{ scope_key: place(snapshots(''), 2), server_id: 2, resolution: { choice: 'main' } }],
    ])
  })

  test('runs and queued jobs know their servers by id afterwards, also those renamed or deleted since', async () => {
    const scope = (server: string): Scope => ({
      resource: 'snapshots',
      server,
      datastore: 'tank',
      namespace: 'a"\\b/ü',
    })
    const found = await Effect.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        const earlier = Object.entries(migrations).filter(([name]) => name < '0027')
        yield* database.transaction('migrating', (trx) =>
          runMigrations(trx, { migrations: Object.fromEntries(earlier), table: 'netbox_pbs_migration' }),
        )
        yield* migrateQueue(database)
        yield* query(
          `insert into servers (id, name, host, token_id, presence) overriding system value values (1, 'stays', '', '', 'listed'), (2, 'new', '', '', 'listed'), (3, 'old', '', '', 'listed')`,
        )
        // Server 2 had the name `old` when the run began; server 3 took that name later. Server 4 was deleted.
        const log = (id: number, action: string, before: string, after: string | null, time: string) =>
          query(`insert into changes (time, action, model, object_id, title, request_id, user_name, before, after)
            values ('${time}', '${action}', 'server', ${id}, '', '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001', 'ann', '{"name":"${before}"}', ${after === null ? 'null' : `'{"name":"${after}"}'`})`)
        yield* log(2, 'update', 'old', 'new', '2026-06-02T00:00:00Z')
        yield* log(3, 'update', 'third', 'old', '2026-06-03T00:00:00Z')
        yield* log(4, 'delete', 'deleted', null, '2026-06-04T00:00:00Z')
        yield* query(
          `insert into runs (resources, servers, trigger, started_by, created) values ('["snapshots"]', '["stays", "old", "deleted", "unknown"]', 'manual', 'ann', '2026-06-01T00:00:00Z')`,
        )
        const names = ['', 'stays', 'old', 'deleted', 'unknown']
        for (const name of names) yield* query(`insert into run_jobs (run_id, server) values (1, '${name}')`)
        for (const name of names.slice(1))
          yield* query(`insert into run_scopes (run_id, scope_key, scope, outcome, created, updated, deleted, unchanged, held_back, started, ended)
            values (1, '${scopeKey(scope(name))}', '${JSON.stringify(scope(name))}', 'landed', 1, 0, 0, 0, 0, now(), now())`)
        // As the release before queued them.
        for (const server of [null, 'stays', 'old'])
          yield* query(`insert into pgboss.job (name, data, singleton_key, policy)
            values ('sync', '${JSON.stringify({ runId: 1, server, resources: ['snapshots'], servers: null })}', '${server === null ? 'gateway' : `server-hash-of-${server}`}', 'singleton')`)
        yield* migrate
        const queue = yield* Queue
        // Queued again, the jobs are known.
        for (const serverId of [1, 2])
          yield* queue.enqueue({ runId: 1, serverId, resources: ['snapshots'] }, { urgent: false })
        const claimed = yield* Effect.all([queue.claim(), queue.claim(), queue.claim(), queue.claim()])
        const runs = yield* Runs
        return {
          jobs: (yield* runs.jobs({ id: 1, limit: 10, offset: 0 })).rows.map(({ server }) => server),
          scopes: (yield* runs.scopes({ id: 1, limit: 10, offset: 0 })).rows.map(({ scope: shown }) => shown),
          keys: yield* query(`select server_id, scope_key from run_scopes where server_id > 0 order by server_id`),
          unknown: yield* query(`select count(*)::int as count from run_jobs where server_id < 0`),
          chosen: Option.map(yield* runs.get({ id: 1 }), (of) => [of.servers, of.serverIds]),
          queued: claimed.flatMap(Option.toArray).map(({ job }) => job.serverId),
          names: yield* query(`select server_id, name from server_names where server_id > 0 order by 1`),
        }
      }).pipe(Effect.provide(Layer.provideMerge(Layer.mergeAll(queueLayer, runsLayer), empty)), Effect.scoped),
    )
    const shown = ['stays', 'new', 'deleted', 'unknown']
    const key = (id: number) => ({ server_id: id, scope_key: placeKey(scopePlace(scope(''), id)) })
    expect(found).toEqual({
      jobs: shown.toSorted(),
      scopes: shown.map(scope),
      keys: [key(1), key(2), key(4)],
      unknown: [{ count: 1 }],
      chosen: Option.some([shown, [1, 2, 4, null]]),
      queued: [null, 1, 2],
      names: [
        { server_id: 1, name: 'stays' },
        { server_id: 2, name: 'new' },
        { server_id: 3, name: 'old' },
        { server_id: 4, name: 'deleted' },
      ],
    })
  })

  test('the tables have the columns of the registry, with its types, and their text sorts by code points', async () => {
    const columns = await Effect.runPromise(
      Effect.andThen(
        migrate,
        query<{ table: string; name: string; type: string; collation: string | null }>(
          `select table_name as "table", column_name as name, case when udt_name = 'int8' then 'bigint' when udt_name = 'bool' then 'boolean' else udt_name end as type,
             collation_name as collation
           from information_schema.columns where table_schema = 'public'`,
        ),
      ).pipe(Effect.provide(empty)),
    )
    const typeOf = (table: string, name: string) =>
      columns.find((column) => column.table === table && column.name === name)?.type
    for (const model of modelNames) {
      for (const { name, type } of factColumns(model)) {
        expect([tables[model], name, typeOf(tables[model], name)]).toEqual([tables[model], name, type])
        expect([tables[model], name, typeOf(`staged_${tables[model]}`, name)]).toEqual([tables[model], name, type])
      }
      for (const { name, type } of ownObservations(model)) {
        const types = [tables[model], `staged_${tables[model]}`].map((table) => typeOf(table, name))
        expect([model, name, types]).toEqual([model, name, [type, type]])
      }
      for (const { name, type } of operatorColumns(model)) {
        expect([tables[model], name, typeOf(tables[model], name)]).toEqual([tables[model], name, type])
        expect([tables[model], name, typeOf(`staged_${tables[model]}`, name)]).toEqual([tables[model], name, undefined])
      }
      const observation = observationTable(model)
      for (const { name, type } of observation === null ? [] : observedColumns(model)) {
        expect([model, name, typeOf(observation?.table ?? '', name)]).toEqual([model, name, type])
      }
      for (const name of fieldsOfClass(model, 'derived').filter((field) => !madeInLists.has(field))) {
        expect([model, name, typeOf(tables[model], name) !== undefined]).toEqual([model, name, true])
      }
    }
    const ours = [
      ...Object.values(tables),
      'scopes',
      'server_observations',
      'datastore_observations',
      'job_observations',
    ]
    expect(
      columns.filter(({ table, type, collation }) => ours.includes(table) && type === 'text' && collation !== 'C'),
    ).toEqual([])
  })
})

test('many processes that start at once migrate once', async () => {
  // Each process has a pool of its own on the one database.
  const applied = await Effect.runPromise(
    Effect.gen(function* () {
      const { driver } = yield* Database
      if (driver._tag !== 'pg') throw new Error('not a server')
      const { connectionString } = driver.pool.options
      const another = Layer.fresh(Database.layerPg({ url: Redacted.make(connectionString ?? ''), poolSize: 1 }))
      return yield* Effect.all(
        Array.from({ length: 6 }, () => Effect.provide(migrate, another)),
        { concurrency: 'unbounded' },
      )
    }).pipe(Effect.provide(pg.empty)),
  )
  expect(applied.filter((names) => names.length > 0)).toEqual([Object.keys(migrations)])
})
