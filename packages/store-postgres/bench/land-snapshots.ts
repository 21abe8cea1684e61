import { type Change, naturalKey, type Scope } from '@netbox-pbs/core'
import { ChangeSets, InventoryLists } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  groupFacts,
  landOnce,
  remove,
  serverFacts,
  snapshotFacts,
  startPostgres,
} from '@netbox-pbs/testing'
import { Duration, Effect, Layer, Redacted } from 'effect'
import { sql } from 'kysely'
import { Database, inventoryLayer, migrate } from '../src/index.ts'

/**
 * How long the rows of a first sync take from memory to committed, and how that compares with COPY
 * of the same rows into the same tables; then how long it takes to land as many updates and
 * deletions: `node --conditions=source --import tsx packages/store-postgres/bench/land-snapshots.ts
 * [pg|pglite] [groups] [snapshots a group]`
 */
const [engine = 'pg', groups = '1000', each = '100'] = process.argv.slice(2)
const [groupCount, perGroup] = [Number(groups), Number(each)]
const scope: Scope = { resource: 'snapshots', server: 'pbs', datastore: 'tank', namespace: '' }

const ids = Array.from({ length: groupCount }, (_, i) => String(100 + i))
const times = Array.from({ length: perGroup }, (_, i) =>
  new Date(1_750_000_000_000 + i * 3_600_000).toISOString().replace('.000', ''),
)
const files = Array.from({ length: 3 }, (_, i) => ({
  filename: `drive-scsi${i}.img.fidx`,
  size: 34_359_738_368,
  crypt_mode: 'none',
}))

const timed = <A, E, R>(what: string, work: Effect.Effect<A, E, R>, rows = groupCount * perGroup) =>
  Effect.map(Effect.timed(work), ([took, result]) => {
    const seconds = Duration.toSeconds(took)
    process.stdout.write(`${what}: ${seconds.toFixed(2)} s, ${Math.round(rows / seconds)} rows/s\n`)
    return result
  })

const statement = (text: string) =>
  Effect.flatMap(Database, (database) => database.query('measuring', (db) => sql.raw(text).execute(db)))

const rowsOf = Effect.flatMap(Database, (database) =>
  database.query('measuring', (db) =>
    sql<{
      id: number
      backup_id: string
      backup_time: string
    }>`select id, backup_id, backup_time from snapshots`.execute(db),
  ),
)

const program = Effect.gen(function* () {
  yield* migrate
  const changeSets = yield* ChangeSets
  yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts('pbs'))] }])
  const server = (yield* (yield* InventoryLists).serverIds({ names: ['pbs'] })).get('pbs') ?? 0
  const changeSet = yield* changeSets.open({ runId: 1_000_000, serverId: server })

  const append = Effect.gen(function* () {
    let batch: Array<Change<'snapshot'>> = []
    for (const id of ids) {
      for (const time of times)
        batch.push(create('snapshot', snapshotFacts(server, id, time, { manifest_files: files })))
      if (batch.length < 2000 && id !== ids.at(-1)) continue
      yield* changeSets.append({ changeSet, scope, model: 'snapshot', changes: batch })
      batch = []
    }
    const facts = ids.map((id) => groupFacts(server, id))
    yield* changeSets.append({
      changeSet,
      scope,
      model: 'group',
      changes: facts.map((group) => create('group', group)),
      digests: facts.map((group) => ({
        key: naturalKey('group', group),
        digest: 'd'.repeat(64),
        listed: perGroup,
        listDigest: null,
      })),
    })
  })
  const landing = {
    changeSet,
    scope,
    runId: 1,
    at: '2026-06-01T00:00:00Z',
    visibility: null,
    held: null,
    listed: true,
    record: null,
  } as const
  yield* timed('append', append)
  yield* timed('land', changeSets.land(landing))
  yield* timed('land again, nothing changed', changeSets.land(landing))
  const { rows: landed } = yield* rowsOf
  const facts = landed.map(({ id, backup_id, backup_time }) => ({
    id,
    facts: snapshotFacts(server, backup_id, backup_time, { manifest_files: files }),
  }))
  const landAll = (what: string, runId: number, changes: ReadonlyArray<Change>) =>
    Effect.gen(function* () {
      const open = yield* changeSets.open({ runId, serverId: server })
      for (let from = 0; from < changes.length; from += 5000) {
        const part = { changeSet: open, scope, model: 'snapshot', changes: changes.slice(from, from + 5000) } as const
        yield* changeSets.append(part)
      }
      yield* timed(what, changeSets.land({ ...landing, changeSet: open, runId }))
    })
  yield* landAll(
    'land updates of all, one field each',
    1_000_001,
    facts.map((row) => change('snapshot', row.id, row.facts, { comment: 'kept for the audit' })),
  )
  if (engine === 'pg') {
    const path = `/tmp/netbox-pbs-bench-${process.pid}.copy`
    const columns = `server_id, datastore_name, namespace, backup_type, backup_id, backup_time, size_bytes, owner, protected, comment, verification_state, verification_upid,
      crypt_mode, finished, manifest_files, other_files, presence`
    yield* statement(`copy (select ${columns} from snapshots order by id) to '${path}'`)
    yield* statement('truncate snapshots')
    yield* timed(
      'COPY of the same snapshots into the same table',
      statement(`copy snapshots (${columns}) from '${path}'`),
    )
    yield* statement(`copy (select 1) to program 'rm ${path}'`)
  }
  const { rows: left } = yield* rowsOf
  yield* landAll(
    'land deletions of all',
    1_000_002,
    left.map((row) => remove('snapshot', row.id, snapshotFacts(server, row.backup_id, row.backup_time))),
  )
})

const measure = (database: Layer.Layer<Database, unknown>) =>
  Effect.runPromise(program.pipe(Effect.provide(Layer.provideMerge(inventoryLayer, database))))

if (engine === 'pglite') await measure(Database.layerPglite({ dataDir: null }))
else {
  const postgres = await startPostgres()
  await measure(Database.layerPg({ url: Redacted.make(postgres.url) })).finally(postgres.stop)
}
