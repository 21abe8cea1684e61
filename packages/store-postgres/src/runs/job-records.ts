import { type Run, type RunJob, runStatus } from '@netbox-pbs/core'
import type { Runs } from '@netbox-pbs/core/ports'
import { Effect, Option, Stream } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import { andSeen, seenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import { isOpenRun, selectRuns } from './run-row.ts'

type Port = typeof Runs.Service

/** How `run_jobs` tells the gateway's job, which has no server. No server has the id 0. */
export const jobServer = (serverId: number | null): number => serverId ?? 0

/**
 * Locks the run's row for this transaction, so that of two jobs that end at once the second sees
 * the result of the first; rows that refer to the run can still be added. True while the run is
 * open.
 */
async function lockOpen(db: Kysely<Tables>, id: number): Promise<boolean> {
  const { rows } = await sql<{ open: boolean }>`
    select ${isOpenRun} as open from runs where id = ${id}::bigint for no key update`.execute(db)
  return rows[0]?.open ?? false
}

async function theRun(db: Kysely<Tables>, id: number): Promise<Run> {
  const [found] = await selectRuns(db, sql`id = ${id}::bigint`)
  if (found === undefined) throw new Error(`run ${id} is not recorded`)
  return found
}

async function waitsForJobs(db: Kysely<Tables>, id: number): Promise<boolean> {
  const { rows } = await sql`
    select from run_jobs where run_id = ${id}::bigint and state <> 'ended' limit 1`.execute(db)
  return rows.length > 0
}

/** An error of the run itself is kept next to those of its jobs, as the gateway's job. */
async function addError(db: Kysely<Tables>, id: number, error: string): Promise<void> {
  await sql`
    insert into run_jobs (run_id, server_id, state, error) values (${id}::bigint, ${jobServer(null)}, 'ended', ${error})
    on conflict (run_id, server_id) do update set error = concat_ws('; ', nullif(run_jobs.error, ''), excluded.error)`.execute(
    db,
  )
}

/** The final status of a run. A cancelled run stays cancelled; a failed job makes any other run incomplete. */
function finalStatus(run: Run): Run['status'] {
  if (run.cancel_requested) return 'cancelled'
  const scopes = Object.values(run.outcomes).reduce((sum, n) => sum + n, 0)
  if (run.error !== '' && scopes === 0) return 'failed'
  const status = runStatus(run.outcomes)
  return status === 'completed' && run.error !== '' ? 'incomplete' : status
}

async function end(db: Kysely<Tables>, id: number, status: Run['status']): Promise<void> {
  await sql`update runs set status = ${status}, completed = now() where id = ${id}::bigint`.execute(db)
}

/** The message for a try that neither succeeded nor failed. */
const workerLost = 'the worker that held it stopped before it was done'

/** The jobs of a run: expected, started, ended, and the end of the run with the last of them. */
export function jobRecords(
  database: typeof Database.Service,
): Pick<Port, 'expectJobs' | 'startJob' | 'retryJob' | 'endJob' | 'end' | 'requestCancel'> {
  return {
    expectJobs: Effect.fn('Runs.expectJobs')(function* ({ id, serverIds }) {
      const servers = serverIds.map(jobServer)
      yield* database.transaction('noting the jobs of a run', async (trx) => {
        if (!(await lockOpen(trx, id))) return
        await sql`
          insert into run_jobs (run_id, server_id)
          select ${id}::bigint, server_id from unnest(${servers}::bigint[]) as server_id
          on conflict do nothing`.execute(trx)
      })
    }),

    startJob: Effect.fn('Runs.startJob')(function* ({ id, serverId }) {
      return yield* database.transaction('noting the start of a job', async (trx) => {
        if (!(await lockOpen(trx, id))) return false
        const { numAffectedRows } = await sql`
          insert into run_jobs (run_id, server_id, state, tries) values (${id}::bigint, ${jobServer(serverId)}, 'running', 1)
          on conflict (run_id, server_id) do update
          set state = 'running', error = '', rows_read = 0, unchanged_scopes = 0, unchanged_rows = 0,
            tries = run_jobs.tries + 1,
            last_failure = case when run_jobs.state = 'running' then ${workerLost} else run_jobs.last_failure end
          where run_jobs.state <> 'ended'`.execute(trx)
        await sql`
          update runs set status = 'running', started = coalesce(started, now())
          where id = ${id}::bigint and status = 'pending'`.execute(trx)
        return (numAffectedRows ?? 0n) > 0n
      })
    }),

    retryJob: Effect.fn('Runs.retryJob')(function* ({ id, serverId, reason }) {
      yield* database.query('noting a failed try', (db) =>
        sql`
          update run_jobs set state = 'retrying', last_failure = ${reason}
          where run_id = ${id}::bigint and server_id = ${jobServer(serverId)} and state <> 'ended'`.execute(db),
      )
    }),

    endJob: Effect.fn('Runs.endJob')(function* ({ id, serverId, error }) {
      return yield* database.transaction('noting the end of a job', async (trx) => {
        if (!(await lockOpen(trx, id))) return { run: await theRun(trx, id), jobsLeft: false }
        await sql`
          insert into run_jobs (run_id, server_id, state, error)
          values (${id}::bigint, ${jobServer(serverId)}, 'ended', ${error ?? ''})
          on conflict (run_id, server_id) do update set state = 'ended', error = excluded.error, noted = now()
          where run_jobs.state <> 'ended'`.execute(trx)
        return { run: await theRun(trx, id), jobsLeft: await waitsForJobs(trx, id) }
      })
    }),

    end: Effect.fn('Runs.end')(function* ({ id, error }) {
      return yield* database.transaction('noting the end of a run', async (trx) => {
        if (!(await lockOpen(trx, id)) || (await waitsForJobs(trx, id))) return await theRun(trx, id)
        if (error !== null) await addError(trx, id, error)
        const status = finalStatus(await theRun(trx, id))
        await end(trx, id, status)
        return await theRun(trx, id)
      })
    }),

    requestCancel: Effect.fn('Runs.requestCancel')(function* ({ id }) {
      return yield* database.transaction('cancelling a run', async (trx) => {
        if (await lockOpen(trx, id)) {
          const { rows } = await sql<{ pending: boolean }>`
            update runs set cancel_requested = true where id = ${id}::bigint
            returning status = 'pending' as pending`.execute(trx)
          // No job has started, so there is nothing to wait for and perhaps no worker either.
          if (rows[0]?.pending === true) await end(trx, id, 'cancelled')
        }
        const found = await selectRuns(trx, sql`id = ${id}::bigint`)
        return Option.fromNullable(found[0])
      })
    }),
  }
}

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

/** The jobs of runs in their present state. */
export function jobLists(database: typeof Database.Service): Pick<Port, 'jobs' | 'openJobs' | 'withoutJobs'> {
  return {
    jobs: Effect.fn('Runs.jobs')(function* ({ id, limit, offset }) {
      const jobs = sql`${jobsOf(id)} ${andSeen(yield* seenServers, sql`j.server_id`)}`
      return yield* database.query('reading the jobs of a run', async (db) => {
        const { rows: counted } = await sql<{ count: number }>`select count(*) as count ${jobs}`.execute(db)
        const { rows } = await sql<RunJob>`
          select server, state, tries, error, rows_read, cost from (
            select ${serverName} as server, j.server_id, j.tries, j.rows_read,
              jsonb_build_object(
                'requests', j.requests, 'bytes', j.bytes, 'millis', j.millis, 'most_in_flight', j.most_in_flight
              ) as cost,
              case
                when j.state = 'ended' and j.error <> '' then 'failed'
                when j.state <> 'ended' and r.completed is not null then 'cancelled'
                when j.state = 'ended' and r.cancel_requested and j.tries = 0 then 'cancelled'
                when j.state = 'ended' then 'done'
                when j.state = 'expected' then 'queued'
                else j.state
              end as state,
              case when j.state = 'ended' then j.error else j.last_failure end as error
            ${jobs}
          ) job
          order by array_position(array['failed', 'retrying', 'running', 'queued', 'cancelled', 'done'], state), server nulls first, server_id
          limit ${limit}::bigint offset ${offset}::bigint`.execute(db)
        return { count: counted[0]?.count ?? 0, rows }
      })
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
