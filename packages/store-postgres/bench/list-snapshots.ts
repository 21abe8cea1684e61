import type { Filter, OrderTerm, PageRequest } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { startPostgres } from '@netbox-pbs/testing'
import { Duration, Effect, Layer, Redacted } from 'effect'
import { sql } from 'kysely'
import { Database, inventoryLayer, migrate } from '../src/index.ts'
import { migrations } from '../src/migrations/index.ts'
import { runMigrations } from '../src/migrations/run-migrations.ts'

/**
 * How long pages of snapshots with their counts take, the least, p50 and p99 of some, in groups of twenty
 * snapshots and namespaces of five hundred groups:
 * `node --conditions=source --import tsx packages/store-postgres/bench/list-snapshots.ts [snapshots] [repeat] [part of a title]`
 */
const [given = '1000000', repeat = '100', only = ''] = process.argv.slice(2)
const rows = Number(given)
const groups = rows / 20

// Filled before the migrations that count it.
const fill = [
  `insert into servers (name, host, token_id, presence) select 'pbs-' || lpad(i::text, 2, '0'), 'h', 't@pbs!x', 'listed' from generate_series(0, 9) i`,
  `insert into snapshots (server_id, datastore_name, namespace, backup_type, backup_id, backup_time, owner, comment, verification_state, crypt_mode, protected, finished, presence)
   select v.id, 'tank', 'ns-' || lpad((i / 500)::text, 5, '0'), case when i % 5 = 0 then 'ct' else 'vm' end, (100 + i)::text,
     timestamptz '2026-01-01Z' + i * interval '1 second' + s * interval '1 day', case when i % 1000 = 0 then 'rare@pbs' else 'sync@pbs!x' end,
     'guest-' || (100 + i) || case when i % 10000 = 7 then ' seldom' else '' end, case when s = 19 then '' when (i + s) % 1000 = 0 then 'failed' else 'ok' end,
     case when i % 10 = 0 then 'encrypt' else 'none' end, (i + s) % 2000 = 0, not (s = 19 and i % 3000 = 0), 'listed'
   from generate_series(0, ${groups / 10} - 1) i cross join servers v cross join generate_series(0, 19) s`,
  `insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence, snapshot_count)
   select server_id, datastore_name, namespace, backup_type, backup_id, 'listed', count(*) from snapshots group by 1, 2, 3, 4, 5`,
  `insert into scopes (server_id, resource, datastore_name, namespace, last_complete_at, registry_version)
   select distinct server_id, 'snapshots', datastore_name, namespace, now(), 1 from groups`,
]

const first: PageRequest = { _tag: 'offset', limit: 50, offset: 0 }
const exact = (field: string, ...values: Filter['values']): Filter => ({ field, lookup: 'exact', values })
const newest: OrderTerm = { field: 'backup_time', descending: true }
interface Requested {
  readonly filters?: ReadonlyArray<Filter>
  readonly order?: ReadonlyArray<OrderTerm>
  readonly search?: string
  readonly page?: PageRequest
}
const queries: Readonly<Record<string, Requested>> = {
  'first page': {},
  'middle page': { page: { ...first, offset: rows / 2 } },
  'last page': { page: { ...first, offset: rows - 50 } },
  'one server': { filters: [exact('server', 3)] },
  'one namespace': { filters: [exact('namespace', 'ns-00003')] },
  'one type': { filters: [exact('backup_type', 'ct')] },
  'one type, deep': { filters: [exact('backup_type', 'ct')], page: { ...first, offset: rows / 10 } },
  'one backup id': { filters: [exact('backup_id', '117')] },
  'rare owner': { filters: [exact('owner', 'rare@pbs')] },
  'usual owner, deep': { filters: [exact('owner', 'sync@pbs!x')], page: { ...first, offset: rows / 2 } },
  protected: { filters: [exact('protected', true)] },
  'failed verification': { filters: [exact('verification_state', 'failed')] },
  'not verified ok': { filters: [{ ...exact('verification_state', 'ok'), negated: true }] },
  encrypted: { filters: [exact('crypt_mode', 'encrypt')] },
  unfinished: { filters: [exact('finished', false)] },
  'server, owner and state': {
    filters: [exact('server', 3, 4), exact('owner', 'sync@pbs!x'), exact('verification_state', 'ok')],
  },
  'newest first': { order: [newest] },
  'newest first, of one server': { order: [newest], filters: [exact('server', 3)] },
  'newest first, failed': { order: [newest], filters: [exact('verification_state', 'failed')] },
  'q, all rows': { search: 'guest' },
  'q, all rows, deep': { search: 'guest', page: { ...first, offset: rows / 2 } },
  'q, few rows': { search: 'seldom' },
  'q, one server': { search: 'pbs-03' },
  'q, no row': { search: 'no such text' },
  'comment contains, few': { filters: [{ field: 'comment', lookup: 'ic', values: ['seldom'] }] },
  'cursor, 1000 rows': { page: { _tag: 'cursor', limit: 1000, start: rows / 2 } },
}

const program = Effect.gen(function* () {
  const database = yield* Database
  const run = (text: string) => database.query('filling', (db) => sql.raw(text).execute(db))
  const earlier = Object.entries(migrations).filter(([name]) => name < '0080')
  yield* database.transaction('migrating', (trx) =>
    runMigrations(trx, { migrations: Object.fromEntries(earlier), table: 'netbox_pbs_migration' }),
  )
  for (const statement of fill) yield* run(statement)
  yield* run('vacuum analyze')
  const [took] = yield* Effect.timed(migrate)
  process.stdout.write(`the migrations that count take ${Duration.toSeconds(took).toFixed(1)} s\n`)
  yield* run('vacuum analyze')
  const lists = yield* InventoryLists
  for (const [what, { filters = [], order = [], search = null, page = first }] of Object.entries(queries)) {
    if (!what.includes(only)) continue
    const times: Array<number> = []
    let count: number | null = 0
    const least = performance.now() + 3000
    for (let i = 0; i < Number(repeat) && (i < 5 || performance.now() < least); i++) {
      const begun = performance.now()
      count = (yield* lists.list({ model: 'snapshot', filters, order, search, page })).count
      times.push(performance.now() - begun)
    }
    const sorted = times.toSorted((x, y) => x - y)
    const at = (share: number) =>
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1).padStart(9)
    process.stdout.write(
      `${what.padEnd(30)} least ${at(0)}  p50 ${at(0.5)}  p99 ${at(0.99)} ms, ${String(count).padStart(8)} rows, ${times.length} times\n`,
    )
  }
})

const postgres = await startPostgres()
const database = Database.layerPg({ url: Redacted.make(postgres.url) })
await Effect.runPromise(program.pipe(Effect.provide(Layer.provideMerge(inventoryLayer, database)))).finally(
  postgres.stop,
)
