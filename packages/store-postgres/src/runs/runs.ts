import type { Run } from '@netbox-pbs/core'
import { type NewRun, Runs } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { Database } from '../database/database.ts'
import { type SeenServers, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import { recordCondition, recordCount, recordOrder, recordSlice } from '../tables/record-list.ts'
import { jobLists, jobRecords } from './job-records.ts'
import { scopeRecords } from './record-scope.ts'
import { runList, selectRuns } from './run-row.ts'
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
        const seen = yield* seenServers
        const theRun = sql`id = ${id}::bigint ${ofSeen(seen)}`
        const [run] = yield* database.query('reading a run', (db) => selectRuns(db, theRun, runList.order, seen))
        return Option.fromNullable(run)
      }),
      list: Effect.fn('Runs.list')(function* ({ where, order: terms, ...page }) {
        const seen = yield* seenServers
        return yield* database.query('reading the runs', async (db) => {
          const chosen = sql`${await recordCondition(db, runList, where)} ${ofSeen(seen)}`
          const own = { id: runList.id, order: recordOrder(runList, terms), newestFirst: true }
          const { begin, order, limit, ...slice } = recordSlice(page, own)
          const count = await recordCount(db, slice, sql`from runs where ${chosen}`)
          const which = sql`${chosen} and ${begin} order by ${order} ${limit}`
          return { count, rows: await selectRuns(db, which, order, seen) }
        })
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

/** Runs that have a job of a server that the user sees, or will have one. */
const ofSeen = (seen: SeenServers): RawBuilder<unknown> =>
  seen === null
    ? sql``
    : sql`and (
        exists (select from run_jobs j where j.run_id = runs.id and ${seen(sql`j.server_id`)})
        or exists (select from jsonb_array_elements(runs.servers) c where ${seen(sql`(c.value ->> 'id')::bigint`)})
      )`

/** Records a run within a transaction. */
export async function insertRun(
  db: Kysely<Tables>,
  { resources, servers, scope_filter = null, trigger, mode = 'full', user }: NewRun,
): Promise<Run> {
  const chosen = servers === null ? null : JSON.stringify(servers)
  const filterJson = scope_filter === null ? null : JSON.stringify(scope_filter)
  const { rows } = await sql<{ id: number }>`
    insert into runs (resources, servers, scope_filter, trigger, mode, started_by)
    values (${JSON.stringify(resources)}::text::jsonb, (${serversOf(chosen)}), ${filterJson}::text::jsonb,
      ${trigger}, ${mode}, ${user})
    returning id`.execute(db)
  const [run] = await selectRuns(db, sql`id = ${rows[0]?.id ?? 0}::bigint`)
  if (run === undefined) throw new Error('an inserted run was not returned')
  return run
}

/** Chosen servers with their ids and names, from a list in which a text is a name and a number an id. */
const serversOf = (chosen: string | null) => sql`
  select jsonb_agg(jsonb_build_object('id', v.id, 'name', coalesce(v.name, c.value #>> '{}')) order by c.place)
  from jsonb_array_elements(${chosen}::text::jsonb) with ordinality as c (value, place)
  left join servers v on case when jsonb_typeof(c.value) = 'number' then v.id = (c.value #>> '{}')::bigint else v.name = c.value #>> '{}' end`
