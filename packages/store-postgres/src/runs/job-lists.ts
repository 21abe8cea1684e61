import type { RunJob } from '@netbox-pbs/core'
import type { Runs } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../inventory/pages.ts'

type Port = typeof Runs.Service

interface JobRow extends Omit<RunJob, 'server'> {
  readonly server: string
}

/** How `run_jobs` names the gateway's job, which has no server, read back. */
const serverOf = (name: string): string | null => (name === '' ? null : name)

/** A run that does not list the servers waits for the gateway only until its jobs are known: that is no job of it, unless it went wrong. */
const jobsOf = (id: number) => sql`
  from run_jobs j join runs r on r.id = j.run_id
  where j.run_id = ${id}::bigint and (j.server <> '' or j.error <> '' or r.resources @> '["servers"]')`

/** The jobs of runs as they stand. */
export function jobLists(database: typeof Database.Service): Pick<Port, 'jobs' | 'openJobs' | 'withoutJobs'> {
  return {
    jobs: Effect.fn('Runs.jobs')(function* ({ id, limit, offset }) {
      const { rows: counted } = yield* database.query('counting the jobs of a run', (db) =>
        sql<{ count: number }>`select count(*) as count ${jobsOf(id)}`.execute(db),
      )
      const { rows } = yield* database.query('reading the jobs of a run', (db) =>
        sql<JobRow>`
          select server, state, tries, error, rows_read from (
            select j.server, j.tries, j.rows_read,
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
          order by array_position(array['failed', 'retrying', 'running', 'queued', 'cancelled', 'done'], state), server
          limit ${limit}::bigint offset ${offset}::bigint`.execute(db),
      )
      return {
        count: counted[0]?.count ?? 0,
        rows: rows.map(({ server, ...job }) => ({ server: serverOf(server), ...job })),
      }
    }),

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
      pages<{ readonly run_id: number; readonly server: string }>((after) =>
        database.query('reading the jobs of open runs', async (db) => {
          const { rows } = await sql<{ run_id: number; server: string }>`
            select r.id as run_id, coalesce(j.server, '') as server
            from runs r left join run_jobs j on j.run_id = r.id
            where r.completed is null and coalesce(j.state, 'expected') <> 'ended'
              and coalesce(j.noted, r.created) < ${before}::timestamptz
              and (r.id, coalesce(j.server, '')) > (${after?.run_id ?? 0}::bigint, ${after?.server ?? ''})
            order by r.id, coalesce(j.server, '') limit ${pageSize}`.execute(db)
          return rows
        }),
      ).pipe(Stream.map(({ run_id, server }) => ({ runId: run_id, server: serverOf(server) }))),
  }
}
