import { Guests } from '@netbox-pbs/core/ports'
import { startPostgres } from '@netbox-pbs/testing'
import { Duration, Effect, Layer, Redacted } from 'effect'
import { sql } from 'kysely'
import { judgeGuests } from '../src/guests/judge-guests.ts'
import { Database, inventoryLayer, migrate } from '../src/index.ts'

/**
 * How long it takes to judge which groups are copies: of all groups, of one in a hundred whose newest backup is not copied
 * yet, and a page of guests. Every guest has twenty backups on each of some servers:
 * `node --conditions=source --import tsx packages/store-postgres/bench/judge-guests.ts [groups] [servers a guest]`
 */
const [given = '50000', places = '2'] = process.argv.slice(2)
const guests = Number(given) / Number(places)

const fill = [
  `insert into servers (name, host, token_id, presence) select 'pbs-' || i, 'h', 't@pbs!x', 'listed' from generate_series(1, ${places}) i`,
  `insert into snapshots (server_id, datastore_name, namespace, backup_type, backup_id, backup_time, owner, presence)
   select v.id, 'tank', 'ns-' || lpad((i / 500)::text, 5, '0'), 'vm', (100 + i)::text, timestamptz '2026-01-01Z' + i * interval '1 second' + s * interval '1 day', 'sync@pbs!x', 'listed'
   from generate_series(0, ${guests} - 1) i cross join servers v cross join generate_series(0, 19) s`,
  `insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence, snapshot_count, last_backup)
   select server_id, datastore_name, namespace, backup_type, backup_id, 'listed', count(*), max(backup_time) from snapshots group by 1, 2, 3, 4, 5`,
  'vacuum analyze',
]
const change = [
  `insert into snapshots (server_id, datastore_name, namespace, backup_type, backup_id, backup_time, owner, presence)
   select server_id, datastore_name, namespace, backup_type, backup_id, last_backup + interval '1 day', 'x', 'listed' from groups where server_id = 1 and id % 100 = 0`,
  `insert into stale_guests (backup_type, backup_id) select backup_type, backup_id from groups where server_id = 1 and id % 100 = 0`,
]

const program = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate
  const run = (statements: ReadonlyArray<string>) =>
    Effect.forEach(statements, (text) => database.query('filling', (db) => sql.raw(text).execute(db)), {
      discard: true,
    })
  const timed = <A, E, R>(what: string, work: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const before = process.cpuUsage()
      const [took] = yield* Effect.timed(work)
      const { user, system } = process.cpuUsage(before)
      process.stdout.write(
        `${what.padEnd(30)} ${(Duration.toMillis(took) / 1000).toFixed(2)} s, of this process ${((user + system) / 1e6).toFixed(2)} s\n`,
      )
    })
  yield* run(fill)
  yield* timed(`all ${given} groups`, judgeGuests(database))
  yield* run(['vacuum analyze'])
  yield* run(change)
  yield* timed('one in a hundred', judgeGuests(database))
  const page = { limit: 50, offset: 0 }
  const list = yield* Guests
  const where = [{ field: 'lag_since', lookup: 'empty', values: [false] }] as const
  for (const nth of [1, 2, 3]) {
    yield* timed(`page of guests, ${nth}`, list.list(page))
    yield* timed(`page of lagging guests, ${nth}`, list.list({ ...page, where }))
  }
})

const postgres = await startPostgres()
const database = Database.layerPg({ url: Redacted.make(postgres.url) })
await Effect.runPromise(program.pipe(Effect.provide(Layer.provideMerge(inventoryLayer, database)))).finally(
  postgres.stop,
)
