import type { Change, Scope } from '@netbox-pbs/core'
import { Branches } from '@netbox-pbs/core/ports'
import { create, landOnce, serverFacts, snapshotFacts, startPostgres } from '@netbox-pbs/testing'
import { Duration, Effect, Layer, Redacted } from 'effect'
import { sql } from 'kysely'
import { Database, inventoryLayer, migrate } from '../src/index.ts'

/**
 * How long it takes to merge a person's branch of so many changes of snapshots, 70 % created, 20 %
 * deleted, 10 % updated, into a main of so many snapshots: `node --conditions=source --import tsx
 * packages/store-postgres/bench/manual-merge.ts [pg|pglite] [changes] [snapshots]`
 */
const [engine = 'pg', changes = '1000', snapshots = '100000'] = process.argv.slice(2)
const [changed, held] = [Number(changes), Number(snapshots)]
const scope: Scope = { resource: 'snapshots', server: 'pbs', datastore: 'tank', namespace: '' }
const actor = { user: 'ann', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }
const perGroup = 100
const time = (nth: number) => new Date(1_750_000_000_000 + nth * 3_600_000).toISOString().replace('.000', '')
const files = Array.from({ length: 3 }, (_, i) => ({
  filename: `drive-scsi${i}.img.fidx`,
  size: 34_359_738_368,
  crypt_mode: 'none',
}))

const timed = <A, E, R>(what: string, work: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(work), ([took, result]) => {
    process.stdout.write(`${what}: ${Duration.toSeconds(took).toFixed(3)} s\n`)
    return result
  })

const statement = <A>(text: string) =>
  Effect.flatMap(Database, (database) =>
    database.query('measuring', async (db) => (await sql.raw<A>(text).execute(db)).rows),
  )

const program = Effect.gen(function* () {
  yield* migrate
  yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts('pbs'))] }])
  const [row] = yield* statement<{ id: number }>('select id from servers')
  const server = row?.id ?? 0
  const parts: Array<{ model: 'snapshot'; changes: Array<Change<'snapshot'>> }> = []
  for (let from = 0; from < held; from += 2000) {
    parts.push({
      model: 'snapshot',
      changes: Array.from({ length: Math.min(2000, held - from) }, (_, i) =>
        create(
          'snapshot',
          snapshotFacts(server, String(100 + Math.floor((from + i) / perGroup)), time((from + i) % perGroup), {
            manifest_files: files,
          }),
        ),
      ),
    })
  }
  yield* timed('landing', landOnce(scope, parts))
  yield* statement('vacuum analyze')
  const branches = yield* Branches
  const { id } = yield* branches.create({
    name: 'b',
    kind: 'operator',
    description: '',
    user: 'ann',
    runId: null,
    review: false,
  })
  const { writes } = branches.overlay({ id })
  const columns = `server_id, datastore_name, namespace, backup_type, backup_id, backup_time, size_bytes, owner, protected, comment, verification_state,
    verification_upid, crypt_mode, finished, manifest_files, other_files, tags, custom_fields`
  const created = Math.round(changed * 0.7)
  for (let from = 0; from < created; from += 1000) {
    const rows = Array.from({ length: Math.min(1000, created - from) }, (_, i) => ({
      ...snapshotFacts(server, String(100 + Math.floor((from + i) / perGroup)), time(1000 + ((from + i) % perGroup)), {
        manifest_files: files,
      }),
    }))
    yield* writes.create({ model: 'snapshot', rows, actor })
  }
  // As `remove` and `update` would write them one by one.
  yield* statement(`insert into branch_snapshots (branch_id, id, op, ${columns}, presence)
    select ${id}, id, 'delete', ${columns}, presence from snapshots order by id limit ${Math.round(changed * 0.2)}`)
  yield* statement(`insert into branch_snapshots (branch_id, id, op, touched, base, ${columns}, presence)
    select ${id}, id, 'update', '{comment,tags}', '{"comment": "", "tags": []}', ${columns.replace(' comment,', " 'mine',").replace(' tags,', ` '["a"]',`)}, presence
    from snapshots order by id desc limit ${Math.round(changed * 0.1)}`)
  yield* statement('analyze')
  yield* timed(
    'one write in it',
    writes.create({ model: 'snapshot', rows: [{ ...snapshotFacts(server, '99', time(0)) }], actor }),
  )
  yield* timed('check', branches.check({ id }))
  const request = { id, by: actor, at: '2026-06-02T00:00:00Z', approval: false }
  yield* timed('dry run', branches.merge({ ...request, commit: false }))
  const { counts } = yield* timed('merge', branches.merge({ ...request, commit: true }))
  process.stdout.write(`${JSON.stringify(counts)}\n`)
})

const measure = (database: Layer.Layer<Database, unknown>) =>
  Effect.runPromise(program.pipe(Effect.provide(Layer.provideMerge(inventoryLayer, database))))

if (engine === 'pglite') await measure(Database.layerPglite({ dataDir: null }))
else {
  const postgres = await startPostgres()
  await measure(Database.layerPg({ url: Redacted.make(postgres.url) })).finally(postgres.stop)
}
