import { Runs } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
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
      ...scopeRecords(database),
      ...warningRecords(database),

      create: Effect.fn('Runs.create')(function* ({ resources, servers, narrowing = null, trigger, user }) {
        const names = servers === null ? null : JSON.stringify(servers)
        const [run] = yield* database.transaction('recording a run', (step) =>
          Effect.gen(function* () {
            const { rows } = yield* step((db) =>
              sql<{ id: number }>`
                insert into runs (resources, servers, narrowing, trigger, started_by)
                values (${JSON.stringify(resources)}::text::jsonb, ${names}::text::jsonb,
                  ${narrowing === null ? null : JSON.stringify(narrowing)}::text::jsonb, ${trigger}, ${user})
                returning id`.execute(db),
            )
            return yield* step((db) => selectRuns(db, sql`id = ${rows[0]?.id ?? 0}::bigint`))
          }),
        )
        return run === undefined ? yield* Effect.dieMessage('an inserted run was not returned') : run
      }),
      get: Effect.fn('Runs.get')(function* ({ id }) {
        const [run] = yield* database.query('reading a run', (db) => selectRuns(db, sql`id = ${id}::bigint`))
        return Option.fromNullable(run)
      }),
      list: Effect.fn('Runs.list')(function* ({ limit, offset }) {
        const { rows } = yield* database.query('counting the runs', (db) =>
          sql<{ count: number }>`select count(*) as count from runs`.execute(db),
        )
        const page = sql`true order by id desc limit ${limit}::bigint offset ${offset}::bigint`
        return {
          count: rows[0]?.count ?? 0,
          rows: yield* database.query('reading the runs', (db) => selectRuns(db, page)),
        }
      }),
      cancelRequested: Effect.fn('Runs.cancelRequested')(function* ({ id }) {
        const { rows } = yield* database.query('reading whether a run is cancelled', (db) =>
          sql<{ cancel_requested: boolean }>`select cancel_requested from runs where id = ${id}::bigint`.execute(db),
        )
        return rows[0]?.cancel_requested ?? false
      }),
    })
  }),
)
