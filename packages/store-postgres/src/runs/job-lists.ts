import type { RunJob } from '@netbox-pbs/core'
import type { Runs } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'

type Port = typeof Runs.Service

/** The name to show for the server of a row of `run_jobs`: the one it has now, or had last. Null: the gateway's job. */
const serverName = sql<string | null>`(select n.name from server_names n where n.server_id = j.server_id)`

/** A job that a run waits for. */
interface OpenJob {
  readonly runId: number
  /** 0: the gateway's job. */
  readonly serverId: number
  readonly server: string | null
}

/**
 * A run that does not list the servers waits for the gateway only until its jobs are known: that is
 * no job of it, unless it went wrong.
 */
const jobsOf = (id: number) => sql`
  from run_jobs j join runs r on r.id = j.run_id
  where j.run_id = ${id}::bigint and (j.server_id <> 0 or j.error <> '' or r.resources @> '["servers"]')`

/** The jobs of runs as they stand. */
export function jobLists(database: typeof Database.Service): Pick<Port, 'jobs' | 'openJobs' | 'withoutJobs'> {
  return {
    jobs: Effect.fn('Runs.jobs')(({ id, limit, offset }) =>
      database.query('reading the jobs of a run', async (db) => {
        const { rows: counted } = await sql<{ count: number }>`select count(*) as count ${jobsOf(id)}`.execute(db)
        const { rows } = await sql<RunJob>`
          select server, state, tries, error, rows_read from (
            select ${serverName} as server, j.server_id, j.tries, j.rows_read,
              case
                when j.state = 'ended' and j.error <> '' then 'failed'
                when j.state <> 'ended' and r.completed is not null then 'cancelled'
                when j.state = 'ended' and r.cancel_requested and j.tries = 0 then 'cancelled'
                when j.state = 'ended' then 'done'
                when j.state = 'expected' then 'queued'
                else j.state
              end as state,
              case when j.state = 'ended' then j.error else j.last_failure end as error
            ${jobsOf(id)}
          ) job
          order by array_position(array['failed', 'retrying', 'running', 'queued', 'cancelled', 'done'], state), server nulls first, server_id
          limit ${limit}::bigint offset ${offset}::bigint`.execute(db)
        return { count: counted[0]?.count ?? 0, rows }
      }),
    ),

    withoutJobs: Effect.fn('Runs.withoutJobs')(function* ({ before }) {
      const { rows } = yield* database.query('reading the runs without jobs', (db) =>
        sql<{ id: number }>`
          select r.id from runs r join run_jobs j on j.run_id = r.id
          where r.completed is null
          group by r.id having bool_and(j.state = 'ended') and max(j.noted) < ${before}::timestamptz
          order by r.id`.execute(db),
      )
      return rows.map(({ id }) => id)
    }),

    openJobs: ({ before }) =>
      pages<OpenJob>((after) =>
        database.query('reading the jobs of open runs', async (db) => {
          const { rows } = await sql<OpenJob>`
            select r.id as "runId", coalesce(j.server_id, 0) as "serverId", ${serverName} as server
            from runs r left join run_jobs j on j.run_id = r.id
            where r.completed is null and coalesce(j.state, 'expected') <> 'ended'
              and coalesce(j.noted, r.created) < ${before}::timestamptz
              and (r.id, coalesce(j.server_id, 0)) > (${after?.runId ?? 0}::bigint, ${after?.serverId ?? -1}::bigint)
            order by r.id, coalesce(j.server_id, 0) limit ${pageSize}`.execute(db)
          return rows
        }),
      ).pipe(Stream.map(({ serverId, ...job }) => ({ ...job, serverId: serverId === 0 ? null : serverId }))),
  }
}
