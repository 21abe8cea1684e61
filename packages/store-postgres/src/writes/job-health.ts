import { type JobFacts, type JobRun, jobHealth, type RunOutcome, timeZone } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { lockFurther } from '../scopes/scope-locks.ts'
import { placeOf } from '../scopes/scope-place.ts'
import { judgedColumns } from '../tables/columns.ts'
import { insertObservations } from './insert-observations.ts'

/** The values of the columns that say how a job does; times are in seconds since 1970. */
export type StoredHealth = Readonly<Record<(typeof judgedColumns)[number]['name'], string | number | null>>

/** A job with what is known of it. Times are in seconds since 1970. */
interface KnownJob extends StoredHealth {
  readonly id: number
  readonly job_type: string
  readonly job_id: string
  readonly schedule: string
  readonly disable: boolean
  readonly timezone: string
  readonly created: number
  readonly listed: boolean
  readonly next_run: number | null
  readonly last_run_state: RunOutcome
  readonly last_run_error: string
  readonly last_run_endtime: number | null
  readonly tasks_read_at: number | null
  readonly runs: ReadonlyArray<JobRun>
}

/** The newest tasks of a job that are read: more failures in a row are not counted. */
const mostRuns = 200

const seconds = (time: RawBuilder<unknown>): RawBuilder<unknown> => sql`extract(epoch from ${time})::float8`

/**
 * Judges the jobs of servers by their schedules and tasks, and stores what has changed. Call it after every
 * write to jobs, tasks or time zones of them. `at` is when, RFC 3339.
 */
export async function judgeJobs(db: Kysely<Tables>, serverIds: Iterable<number>, at: string): Promise<void> {
  const servers = [...new Set(serverIds)].toSorted((one, other) => one - other)
  // Of two writers the later one has to see what the earlier one wrote.
  if (servers.length > 0) await lockFurther(db, { scopes: servers.map((server_id) => placeOf('tasks', { server_id })) })
  for (const id of servers) await judgeServer(db, id, at)
}

async function judgeServer(db: Kysely<Tables>, serverId: number, at: string): Promise<void> {
  const changed = (await judgedJobs(db, serverId, at)).flatMap(({ id, stored, health }) =>
    judgedColumns.some(({ name }) => health[name] !== stored[name]) ? [{ id, ...health }] : [],
  )
  if (changed.length === 0) return
  const typed = judgedColumns.map(
    ({ name, type }) => sql`${sql.id(name)} ${sql.raw(type === 'timestamptz' ? 'float8' : type)}`,
  )
  await insertObservations('job', {
    from: sql`from jsonb_to_recordset(${jsonb(changed)}) as r (id bigint, ${sql.join(typed)})
      join jobs m on m.server_id = ${serverId}::bigint and m.id = r.id`,
    row: 'm',
    values: judgedColumns.map(({ name, type }) => ({
      name,
      value: type === 'timestamptz' ? sql`to_timestamp(${sql.ref(`r.${name}`)})` : sql.ref(`r.${name}`),
    })),
    existing: 'replace',
  })?.execute(db)
}

/** A job with its health as it is stored, and as it follows from its schedule and its tasks. */
export interface JudgedRow {
  readonly id: number
  /** Its type and id. */
  readonly title: string
  readonly stored: StoredHealth
  readonly health: StoredHealth
}

/** Judges the jobs of a server, and stores nothing. A schedule that is new to it counts from `at` on, RFC 3339. */
export async function judgedJobs(db: Kysely<Tables>, serverId: number, at: string): Promise<ReadonlyArray<JudgedRow>> {
  const now = Date.parse(at) / 1000
  return (await jobsOf(db, serverId)).map((job) => ({
    id: job.id,
    title: `${serverId}/${job.job_type}/${job.job_id}`,
    stored: job,
    health: healthOf(job, now),
  }))
}

/** How a job does, as its columns hold it: as of the last list of the tasks, whenever it is judged. */
function healthOf(job: KnownJob, now: number): StoredHealth {
  const since = job.schedule_seen === job.schedule ? Number(job.schedule_since) : scheduleSince(job, now)
  const { state, missed, failing, lastGood, due } = jobHealth({ ...factsOf(job), since }, job.tasks_read_at ?? now)
  return {
    health: state,
    health_since: missed?.since ?? failing?.since ?? null,
    due_at: due,
    missed_runs: missed === null ? 0 : missed.count,
    failed_runs: failing?.count ?? 0,
    first_error: failing?.error ?? '',
    last_good_run: lastGood,
    schedule_seen: job.schedule,
    schedule_since: since,
  }
}

/** Since when a job has the schedule that it was not known to have: from its creation on when it is new. */
const scheduleSince = ({ schedule_seen, created }: KnownJob, now: number): number =>
  schedule_seen === null ? Math.min(created, now) : now

function factsOf(job: KnownJob): Omit<JobFacts, 'since'> {
  return {
    disabled: job.disable,
    schedule: job.schedule,
    zone: timeZone(job.timezone),
    nextRun: job.next_run,
    runs: runsOf(job),
    // Of a job that its source does not list nothing new is known.
    readAt: job.listed ? job.tasks_read_at : null,
  }
}

/** The tasks of a job, and its last run as PBS tells it where no task of it is known. */
function runsOf({ runs, last_run_endtime: end, last_run_state, last_run_error }: KnownJob): ReadonlyArray<JobRun> {
  if (end === null || runs.some((run) => run.end === null || run.end >= end)) return runs
  return [{ start: end, end, outcome: last_run_state, status: last_run_error }, ...runs]
}

/**
 * The jobs of a server. Tasks of a prune job name its place alone, so that of several of one place
 * none has tasks.
 */
async function jobsOf(db: Kysely<Tables>, serverId: number): Promise<ReadonlyArray<KnownJob>> {
  const stored = judgedColumns.map(({ name, type }) => {
    const value = sql.ref(`o.${name}`)
    return sql`${type === 'timestamptz' ? seconds(value) : value} as ${sql.id(name)}`
  })
  const { rows } = await sql<KnownJob>`
    select j.id, j.job_type, j.job_id, j.presence = 'listed' as listed, j.schedule, j.disable, v.timezone, ${seconds(sql`j.created`)} as created,
      ${seconds(sql`o.next_run`)} as next_run, coalesce(o.last_run_state, 'unknown') as last_run_state,
      coalesce(o.last_run_error, '') as last_run_error, ${seconds(sql`o.last_run_endtime`)} as last_run_endtime,
      ${seconds(sql`c.last_complete_at`)} as tasks_read_at, ${sql.join(stored)}, k.runs
    from jobs j
    join servers v on v.id = j.server_id
    left join job_observations o on o.server_id = j.server_id and o.job_id = j.id
    left join scopes c on c.resource = 'tasks' and c.server_id = j.server_id
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('start', ${seconds(sql`k.starttime`)}, 'end', ${seconds(sql`k.endtime`)},
        'outcome', k.outcome, 'status', k.status) order by k.starttime desc), '[]') as runs
      from (
        select k.starttime, k.endtime, k.outcome, k.status from tasks k
        where k.server_id = j.server_id and k.job_type = j.job_type and k.job_type <> '' and (
          (k.job_id = j.job_id and j.job_type <> 'prune')
          or (k.job_id = '' and j.job_type = 'prune' and k.datastore_name = j.store and k.namespace = j.namespace and not exists (
            select from jobs p where p.server_id = j.server_id and p.job_type = 'prune' and p.store = j.store
              and p.namespace = j.namespace and p.id <> j.id)))
        order by k.starttime desc, k.id limit ${mostRuns}
      ) k
    ) k
    where j.server_id = ${serverId}::bigint order by j.id`.execute(db)
  return rows
}
