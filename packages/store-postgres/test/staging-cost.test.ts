import { Branches, ChangeSets } from '@netbox-pbs/core/ports'
import { appendAll, change, create, landOnce, may, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { dropUnstaged, stageUpdates } from '../src/branches/stage-rows.ts'
import { readWindows } from '../src/change-sets/parts.ts'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { scopePlace } from '../src/scopes/scope-place.ts'
import { newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

/** New snapshots that wait in the branch. */
const size = 1500

describe.each(engines)('staging in a branch, on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())

  test('drops what a run no longer changes at a cost of what is staged, not of its square', async () => {
    await runtime.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        const changeSets = yield* ChangeSets
        const { server, snapshots, snapshot } = yield* newFleet('square')
        const { id: branch } = yield* newBranch('square')
        const created = Array.from({ length: size }, (_, nth) =>
          create('snapshot', snapshotFacts(server, String(1000 + nth), may(9))),
        )
        const updates = [0, 1].map((nth) =>
          change('snapshot', snapshot(nth).id, snapshot(nth).facts, { comment: 'source' }),
        )
        yield* stageOnce(branch, snapshots, [{ model: 'snapshot', changes: [...created, ...updates] }])
        const changeSet = yield* changeSets.open({ runId: 900_001, serverId: server })
        // The source no longer lists the first new one, and no longer changes the first old one.
        yield* appendAll(changeSet, snapshots, [
          { model: 'snapshot', changes: [...created.slice(1), ...updates.slice(1)] },
        ])
        const [row] = yield* rows<{ id: number }>(`select id from change_set_parts where change_set_id = ${changeSet}`)
        const part = row?.id ?? 0
        const { dropped, read } = yield* database.transaction('dropping', async (trx) => {
          const place = scopePlace(snapshots, server)
          const target = { branch, place, model: 'snapshot', changeSet } as const
          const dropped = await dropUnstaged({ db: trx, engine: database.engine }, target, { part, retains: false })
          const { rows: found } = await sql<{ read: number }>`
            select (pg_stat_get_xact_tuples_returned('staged_snapshots'::regclass)
              + pg_stat_get_xact_tuples_fetched('staged_snapshots'::regclass))::bigint as read`.execute(trx)
          return { dropped, read: found[0]?.read ?? 0 }
        })
        expect(dropped).toBe(2)
        const left = yield* (yield* Branches).changes({ id: branch, limit: 1, offset: 0 })
        expect(left.count).toBe(size)
        // Staged rows are read once a statement, and there are two a slice.
        expect(read).toBeGreaterThan(0)
        expect(read).toBeLessThanOrEqual(4 * size)
      }),
    )
  })

  test('fills a branch of unknown size by looking each entry up once', async () => {
    await runtime.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        const changeSets = yield* ChangeSets
        const { server, snapshots } = yield* newFleet('uncounted')
        const facts = Array.from({ length: size }, (_, nth) => snapshotFacts(server, String(1000 + nth), may(9)))
        yield* landOnce(snapshots, [{ model: 'snapshot', changes: facts.map((row) => create('snapshot', row)) }])
        const main = yield* rows<{ id: number; backup_id: string }>(
          `select id, backup_id from snapshots where server_id = ${server} and backup_id >= '1000'`,
        )
        const ids = new Map(main.map(({ id, backup_id }) => [backup_id, id]))
        const { id: branch } = yield* newBranch('uncounted')
        yield* rows('truncate branch_snapshots')
        yield* rows("delete from pg_statistic where starelid = 'branch_snapshots'::regclass")
        const changeSet = yield* changeSets.open({ runId: 900_002, serverId: server })
        const updates = facts.map((row) =>
          change('snapshot', ids.get(row.backup_id) ?? 0, row, { comment: 'by the source' }),
        )
        yield* appendAll(changeSet, snapshots, [{ model: 'snapshot', changes: updates }])
        const [row] = yield* rows<{ id: number }>(`select id from change_set_parts where change_set_id = ${changeSet}`)
        const { staged, read } = yield* database.transaction('staging', async (trx) => {
          const target = { branch, place: scopePlace(snapshots, server), model: 'snapshot', changeSet } as const
          let staged = 0
          for (const window of await readWindows(trx, database.engine, 'staged_snapshots', row?.id ?? 0))
            staged += await stageUpdates(trx, target, window)
          const { rows: found } = await sql<{ read: number }>`
            select sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint as read from pg_index
            where indrelid = 'branch_snapshots'::regclass`.execute(trx)
          return { staged, read: found[0]?.read ?? 0 }
        })
        expect(staged).toBe(size)
        // Each entry is looked for a few times, and none is found by reading others.
        expect(read).toBeGreaterThan(0)
        expect(read).toBeLessThanOrEqual(10 * size)
      }),
    )
  })
})
