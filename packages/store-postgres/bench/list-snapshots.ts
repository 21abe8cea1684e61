import type { Filter, OrderTerm, PageRequest } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { startPostgres } from '@netbox-pbs/testing'
import { Effect, Layer, Redacted } from 'effect'
import { sql } from 'kysely'
import { Database, inventoryLayer, migrate } from '../src/index.ts'

/**
 * How long pages of snapshots take, the median of some:
 * `node --conditions=source --import tsx packages/store-postgres/bench/list-snapshots.ts [groups] [snapshots a group]`
 */
const [groups = '10000', each = '100'] = process.argv.slice(2)
const rows = Number(groups) * Number(each)

const fill = [
  `insert into servers (name, host, token_id, presence) select 'pbs-' || i, 'h', 't@pbs!x', 'listed' from generate_series(1, 10) i`,
  `insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence, snapshot_count)
   select s.id, 'tank', '', 'vm', i::text, 'listed', ${each} from generate_series(1, ${Number(groups) / 10}) i, servers s`,
  `insert into snapshots (server_id, datastore_name, namespace, backup_type, backup_id, backup_time, owner, presence)
   select g.server_id, 'tank', '', 'vm', g.backup_id, '2026-01-01'::timestamptz + g.id * interval '1 second' + i * interval '1 hour', 'root@pam', 'listed'
   from groups g, generate_series(1, ${each}) i`,
  `insert into scopes (server_id, resource, datastore_name, last_complete_at, registry_version) select id, 'snapshots', 'tank', now(), 1 from servers`,
  'vacuum analyze',
]

const first: PageRequest = { _tag: 'offset', limit: 50, offset: 0 }
const exact = (field: string, value: string | number): Filter => ({ field, lookup: 'exact', values: [value] })
const newest: OrderTerm = { field: 'backup_time', descending: true }
interface Requested {
  readonly filters?: ReadonlyArray<Filter>
  readonly order?: ReadonlyArray<OrderTerm>
  readonly search?: string
  readonly page?: PageRequest
}
const queries: Readonly<Record<string, Requested>> = {
  'first page': {},
  'last page': { page: { ...first, offset: rows - 50 } },
  'one server': { filters: [exact('server', 3)] },
  'one backup id': { filters: [exact('backup_id', '17')] },
  'newest first': { order: [newest] },
  'newest first, of one server': { order: [newest], filters: [exact('server', 3)] },
  'one owner': { filters: [exact('owner', 'root@pam')] },
  'text with few hits': { search: 'pbs-99' },
  'cursor, 1000 rows': { page: { _tag: 'cursor', limit: 1000, start: rows / 2 } },
}

const program = Effect.gen(function* () {
  yield* migrate
  const database = yield* Database
  const lists = yield* InventoryLists
  for (const statement of fill) yield* database.query('filling', (db) => sql.raw(statement).execute(db))
  for (const [what, { filters = [], order = [], search = null, page = first }] of Object.entries(queries)) {
    const times: Array<number> = []
    for (let i = 0; i < 7; i++) {
      const begun = performance.now()
      yield* lists.list({ model: 'snapshot', filters, order, search, page })
      times.push(performance.now() - begun)
    }
    const median = times.toSorted((x, y) => x - y)[3] ?? 0
    process.stdout.write(`${what.padEnd(30)} ${median.toFixed(1).padStart(8)} ms\n`)
  }
})

const postgres = await startPostgres()
const database = Database.layerPg({ url: Redacted.make(postgres.url) })
await Effect.runPromise(program.pipe(Effect.provide(Layer.provideMerge(inventoryLayer, database)))).finally(
  postgres.stop,
)
