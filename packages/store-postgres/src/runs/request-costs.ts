import type { RequestCost } from '@netbox-pbs/core'
import { type DayCost, RequestCosts } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import { jobServer } from './job-records.ts'

/** The columns of a cost, of `run_jobs` and of `server_costs`. */
const costColumns = sql`requests, bytes, millis, most_in_flight`

/** The sums of costs that a statement groups. */
const costSums = sql`sum(requests)::bigint as requests, sum(bytes)::bigint as bytes, sum(millis)::bigint as millis, max(most_in_flight)::bigint as most_in_flight`

/** A run as requests name it: a number, unless another system uses the same gateway. */
const runOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null

/** What the servers were asked, next to the jobs that asked it. */
export const requestCostsLayer: Layer.Layer<RequestCosts, never, Database> = Layer.effect(
  RequestCosts,
  Effect.map(Database, (database) =>
    RequestCosts.of({
      record: Effect.fn('RequestCosts.record')(function* ({ runId, serverId, day, costs }) {
        if (costs.length === 0) return
        const told = costs.map(({ run, ...cost }) => {
          const ofRun = runOf(run)
          // The name is that of the gateway: the server of a job may have another one by now.
          const job = ofRun === runId ? jobServer(serverId) : serverId
          return { ...cost, run_id: ofRun, server_id: serverId, job }
        })
        const costsOf = sql`(
          select c.run_id, s.id as server_id, coalesce(c.job, s.id) as job, c.requests, c.bytes, c.millis, c.most_in_flight
          from jsonb_to_recordset(${jsonb(told)}) as c (
            run_id bigint, server_id bigint, job bigint, server text, requests bigint, bytes bigint, millis bigint, most_in_flight bigint
          )
          join servers s on case when c.server_id is null then s.name = c.server else s.id = c.server_id end
        )`
        yield* database.transaction('recording what servers were asked', async (trx) => {
          // Both statements lock rows in the order of servers, and these before those of the days.
          await sql`
            with told as (select run_id, job, ${costSums} from ${costsOf} c where run_id is not null group by run_id, job),
              locked as (
                select run_id, server_id from run_jobs
                where (run_id, server_id) in (select run_id, job from told) order by run_id, server_id for no key update
              )
            update run_jobs j set
              requests = j.requests + t.requests, bytes = j.bytes + t.bytes, millis = j.millis + t.millis,
              most_in_flight = greatest(j.most_in_flight, t.most_in_flight)
            from told t join locked l on l.run_id = t.run_id and l.server_id = t.job
            where j.run_id = l.run_id and j.server_id = l.server_id`.execute(trx)
          await sql`
            insert into server_costs as d (server_id, day, ${costColumns})
            select server_id, ${day}::date, ${costSums} from ${costsOf} c group by server_id order by server_id
            on conflict (server_id, day) do update set
              requests = d.requests + excluded.requests, bytes = d.bytes + excluded.bytes,
              millis = d.millis + excluded.millis,
              most_in_flight = greatest(d.most_in_flight, excluded.most_in_flight)`.execute(trx)
        })
      }),

      days: Effect.fn('RequestCosts.days')(({ serverId, limit, offset }) =>
        database.query('reading what a server was asked', async (db) => {
          const { rows: counted } = await sql<{ count: number }>`
            select count(*) as count from server_costs where server_id = ${serverId}::bigint`.execute(db)
          const { rows } = await sql<DayCost>`
            select to_char(day, 'YYYY-MM-DD') as day, ${costColumns} from server_costs
            where server_id = ${serverId}::bigint
            order by server_costs.day desc limit ${limit}::bigint offset ${offset}::bigint`.execute(db)
          return { count: counted[0]?.count ?? 0, rows }
        }),
      ),

      reached: Effect.fn('RequestCosts.reached')(function* ({ day, requests }) {
        const { rows } = yield* database.query('reading which servers were asked most', (db) =>
          sql<{ server_id: number }>`
            select server_id from server_costs where day = ${day}::date and requests >= ${requests}::bigint`.execute(
            db,
          ),
        )
        return new Set(rows.map(({ server_id }) => server_id))
      }),

      lastRun: Effect.fn('RequestCosts.lastRun')(({ serverId }) =>
        database.query('reading what a run asked of a server', async (db) => {
          const { rows } = await sql<RequestCost & { readonly run_id: number }>`
            select run_id, ${costColumns} from run_jobs
            where server_id = ${serverId}::bigint and requests > 0 order by run_id desc limit 1`.execute(db)
          return Option.map(Option.fromNullable(rows[0]), ({ run_id: runId, ...cost }) => ({ runId, cost }))
        }),
      ),
    }),
  ),
)
