import { Runs } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { insertRun } from './insert-run.ts'
import { jobLists } from './job-lists.ts'
import { jobRecords } from './job-records.ts'
import { selectRuns } from './run-row.ts'
import { scopeRecords } from './scope-records.ts'
import { warningRecords } from './warning-records.ts'

/** The records of runs. */
export const runsLayer: Layer.Layer<Runs, never, Database> = Layer.effect(
  Runs,
  Effect.gen(function* () {
    const database = yield* Database

    return Runs.of({
      ...jobRecords(database),
      ...jobLists(database),
      ...scopeRecords(database),
      ...warningRecords(database),

      create: Effect.fn('Runs.create')((request) =>
        database.transaction('recording a run', (trx) => insertRun(trx, request)),
      ),
      get: Effect.fn('Runs.get')(function* ({ id }) {
        const [run] = yield* database.query('reading a run', (db) => selectRuns(db, sql`id = ${id}::bigint`))
        return Option.fromNullable(run)
      }),
      list: Effect.fn('Runs.list')(({ filter: { statuses, triggers } = {}, limit, offset }) =>
        database.query('reading the runs', async (db) => {
          const chosen = sql`true
            ${statuses === undefined ? sql`` : sql`and status = any(${statuses}::text[])`}
            ${triggers === undefined ? sql`` : sql`and trigger = any(${triggers}::text[])`}`
          const { rows } = await sql<{ count: number }>`select count(*) as count from runs where ${chosen}`.execute(db)
          const page = sql`${chosen} order by id desc limit ${limit}::bigint offset ${offset}::bigint`
          return { count: rows[0]?.count ?? 0, rows: await selectRuns(db, page) }
        }),
      ),
      cancelRequested: Effect.fn('Runs.cancelRequested')(function* ({ id }) {
        const { rows } = yield* database.query('reading whether a run is cancelled', (db) =>
          sql<{ cancel_requested: boolean }>`select cancel_requested from runs where id = ${id}::bigint`.execute(db),
        )
        return rows[0]?.cancel_requested ?? false
      }),
    })
  }),
)
