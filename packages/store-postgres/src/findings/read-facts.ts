import {
  type BranchFacts,
  type DatastoreFacts,
  type FleetFacts,
  type HeldFacts,
  type HoldReason,
  type JudgedJob,
  type ListFacts,
  listPatience,
  ownTiming,
  privilegesMissing,
  type ScopeResource,
  type ServerFacts,
  type Settings,
  type SyncFacts,
  schedulePatience,
  scopeOf,
  scopeTitle,
  type WorkerFacts,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { openConflicts } from '../branches/branch-record.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { copyLedger } from '../guests/copy-ledger.ts'
import { heldCount } from '../held-deletions/held-deletions-row.ts'
import { readGroups } from './read-groups.ts'
import { seconds, withFinding } from './stored-values.ts'

/** The newest runs that are looked through for what they say of servers. */
const latestRuns = 50

/** Reads what findings follow from. `now` is in seconds since 1970. */
export async function readFacts(
  db: Kysely<Tables>,
  { settings, now }: { readonly settings: Settings; readonly now: number },
): Promise<FleetFacts> {
  const servers = await readServers(db)
  const patience = servers.flatMap(({ facts: { id }, ...timing }) => {
    const seconds = patienceOf(settings, timing)
    return seconds === null ? [] : [{ id, seconds }]
  })
  const byId = new Map(servers.map(({ facts }) => [facts.id, facts]))
  const datastores = await readDatastores(db, byId, { patience, now })
  return {
    servers: servers.map(({ facts }) => facts),
    datastores,
    ...(await readGroups(db, datastores)),
    syncs: await readSyncs(db, byId),
    jobs: await readJobs(db, byId),
    held: await readHeld(db),
    branches: await readBranches(db),
    workers: await readWorkers(db),
  }
}

/** When a server is read. */
interface ServerTiming {
  readonly sync_schedule: string
  readonly sync_interval_minutes: number | null
}

/** How long a list of a server may stay unread, in seconds; null: nothing reads it by itself. */
function patienceOf(settings: Settings, timing: ServerTiming): number | null {
  const { sync_schedule, sync_interval_minutes } = ownTiming(timing) ?? settings
  if (sync_schedule !== '') return schedulePatience
  return sync_interval_minutes > 0 ? listPatience(sync_interval_minutes) : null
}

/** For each server the newest of the last runs that ended with a job of it: `server_id`, `run_id`, `completed`, `whole`. */
const newestRuns = sql`
  select distinct on (j.server_id) j.server_id, r.id as run_id, r.completed,
    r.status = 'completed' and r.scope_filter is null and r.resources @> '["datastores", "snapshots", "jobs", "tasks"]' as whole
  from (select * from runs where completed is not null order by completed desc, id desc limit ${latestRuns}) r
  join run_jobs j on j.run_id = r.id
  where j.server_id <> 0 order by j.server_id, r.completed desc, r.id desc`

async function readServers(db: Kysely<Tables>): Promise<ReadonlyArray<ServerTiming & { readonly facts: ServerFacts }>> {
  const { rows } = await sql<ServerTiming & { readonly facts: ServerFacts }>`
    with newest as materialized (${newestRuns})
    select v.sync_schedule, v.sync_interval_minutes, jsonb_build_object(
      'id', v.id, 'name', v.name, 'host', v.host, 'status', coalesce(o.status, 'unknown'), 'statusSince', ${seconds(sql`o.status_since`)},
      'errorCode', coalesce(o.last_error_code, ''), 'error', coalesce(o.last_error, ''), 'errorAt', ${seconds(sql`o.last_error_at`)},
      'clockOffset', o.clock_offset_seconds, 'lastSeen', ${seconds(sql`o.last_seen_at`)},
      'privileges', case when n.run_id is not null then jsonb_build_object('at', ${seconds(sql`n.completed`)}, 'whole', n.whole, 'missing', (
        select coalesce(jsonb_agg(w.message order by w.seq), '[]') from run_warnings w
        where w.run_id = n.run_id and w.code = ${privilegesMissing} and w.scope ->> 'server' = v.name
      )) end) as facts
    from servers v
    left join server_observations o on o.server_id = v.id
    left join newest n on n.server_id = v.id
    order by v.id`.execute(db)
  return rows
}

type StoreRow = Omit<DatastoreFacts, 'server' | 'lists'> & { readonly server_id: number; readonly lists: ListFacts }

async function readDatastores(
  db: Kysely<Tables>,
  servers: ReadonlyMap<number, ServerFacts>,
  { patience, now }: { readonly patience: ReadonlyArray<object>; readonly now: number },
): Promise<ReadonlyArray<DatastoreFacts>> {
  const { rows } = await sql<StoreRow>`
    with newest as materialized (${newestRuns}),
    lists as materialized (
      select c.server_id, c.datastore_name, count(*) as known, min(c.read) as oldest, max(c.read) as newest,
        count(*) filter (where ${seconds(sql`c.read`)} + p.seconds < ${now}::float8) as overdue
      from (
        select c.server_id, c.datastore_name, c.namespace, greatest(c.last_complete_at, c.last_full_at, c.last_light_at) as read
        from scopes c where c.resource = 'snapshots'
      ) c
      join namespaces n on n.server_id = c.server_id and n.datastore_name = c.datastore_name and n.path = c.namespace and n.presence = 'listed'
      left join jsonb_to_recordset(${jsonb(patience)}) as p (id bigint, seconds float8) on p.id = c.server_id
      group by c.server_id, c.datastore_name
    ),
    stuck as materialized (
      select distinct on (s.server_id, s.scope ->> 'datastore') s.server_id, s.scope ->> 'datastore' as datastore_name,
        jsonb_build_object('at', ${seconds(sql`s.ended`)}, 'error', coalesce(s.reason ->> 'message', '')) as found
      from newest n join run_scopes s on s.run_id = n.run_id and s.server_id = n.server_id
      where s.outcome = 'failed' and s.reason ->> 'code' = 'timeout' and s.scope ->> 'datastore' is not null
      order by s.server_id, s.scope ->> 'datastore', s.seq
    )
    select d.id, d.server_id, d.name, d.presence = 'listed' as listed, d.maintenance, d.mount_status as "mountStatus",
      d.backend_type as "backendType", o.used_bytes as "usedBytes", o.total_bytes as "totalBytes",
      ${seconds(sql`coalesce(o.usage_own, c.last_complete_at)`)} as "usageAt", ${seconds(sql`c.last_complete_at`)} as "lastSeen",
      jsonb_build_object('known', coalesce(l.known, 0), 'oldest', ${seconds(sql`l.oldest`)}, 'newest', ${seconds(sql`l.newest`)},
        'overdue', coalesce(l.overdue, 0), 'stuck', k.found) as lists
    from datastores d
    left join datastore_observations o on o.server_id = d.server_id and o.datastore_id = d.id
    left join scopes c on c.resource = 'datastores' and c.server_id = d.server_id
    left join lists l on l.server_id = d.server_id and l.datastore_name = d.name
    left join stuck k on k.server_id = d.server_id and k.datastore_name = d.name
    order by d.id`.execute(db)
  return withServers(rows, servers)
}

/** Rows with the facts of their servers; a row whose server is gone has just gone too. */
const withServers = <A extends { readonly server_id: number }>(
  rows: ReadonlyArray<A>,
  servers: ReadonlyMap<number, ServerFacts>,
): ReadonlyArray<Omit<A, 'server_id'> & { readonly server: ServerFacts }> =>
  rows.flatMap(({ server_id, ...row }) => {
    const server = servers.get(server_id)
    return server === undefined ? [] : [{ ...row, server }]
  })

async function readSyncs(
  db: Kysely<Tables>,
  servers: ReadonlyMap<number, ServerFacts>,
): Promise<ReadonlyArray<SyncFacts>> {
  const time = (text: string | null) => (text === null ? null : Math.floor(Date.parse(text) / 1000))
  return (await copyLedger(db)).flatMap((entry) => {
    const server = servers.get(entry.server.id)
    if (server === undefined) return []
    const { job: id, name: jobId, silent_copies: silentCopies } = entry
    return [
      {
        id,
        server,
        jobId,
        silentCopies,
        silentSince: time(entry.silent_since),
        lastGoodRun: time(entry.last_good_run),
      },
    ]
  })
}

async function readJobs(
  db: Kysely<Tables>,
  servers: ReadonlyMap<number, ServerFacts>,
): Promise<ReadonlyArray<JudgedJob>> {
  const { rows } = await sql<Omit<JudgedJob, 'server'> & { readonly server_id: number }>`
    select j.id, j.server_id, j.job_type as type, j.job_id as "jobId", case when j.disable then 'off' else coalesce(o.health, 'unknown') end as health,
      ${seconds(sql`o.health_since`)} as "healthSince", o.missed_runs as "missedRuns", coalesce(o.failed_runs, 0) as "failedRuns",
      coalesce(o.first_error, '') as "firstError", ${seconds(sql`o.last_good_run`)} as "lastGoodRun", ${seconds(sql`c.last_complete_at`)} as "readAt"
    from jobs j
    left join job_observations o on o.server_id = j.server_id and o.job_id = j.id
    left join scopes c on c.resource = 'tasks' and c.server_id = j.server_id
    where o.health in ('missed', 'failing') or j.id in (${withFinding('job')})
    order by j.id`.execute(db)
  return withServers(rows, servers)
}

interface HeldRow extends Omit<HeldFacts, 'server' | 'title'> {
  readonly server_id: number
  readonly server_name: string
  readonly resource: ScopeResource
  readonly datastore_name: string
  readonly namespace: string
  readonly job_type: string
  readonly reason: HoldReason
}

async function readHeld(db: Kysely<Tables>): Promise<ReadonlyArray<HeldFacts>> {
  // Deletions that only wait for those of their children are no decision of their own.
  const { rows } = await sql<HeldRow>`
    select h.id, h.server_id, v.name as server_name, h.resource, h.datastore_name, h.namespace, h.job_type, h.state, h.reason,
      case when h.kept or h.reason <> 'children_held' then ${heldCount} else 0 end as count, ${seconds(sql`h.since`)} as since,
      h.decided_by as "decidedBy", ${seconds(sql`h.decided_at`)} as "decidedAt"
    from held_deletions h join servers v on v.id = h.server_id
    where h.state = 'waiting' or h.id in (${withFinding('held_deletions')})
    order by h.id`.execute(db)
  return rows.map(({ server_id, server_name, resource, datastore_name, namespace, job_type, ...row }) => ({
    ...row,
    server: { id: server_id, name: server_name },
    title: scopeTitle(scopeOf(resource, { server: server_name, datastore: datastore_name, namespace, job_type })),
  }))
}

async function readBranches(db: Kysely<Tables>): Promise<ReadonlyArray<BranchFacts>> {
  const { rows } = await sql<BranchFacts>`
    select b.id, b.name, b.status, ${openConflicts} as conflicts, ${seconds(sql`coalesce(b.checked, b.created)`)} as since
    from branches b where b.status in ('in_review', 'ready') or b.id in (${withFinding('branch')})
    order by b.id`.execute(db)
  return rows
}

async function readWorkers(db: Kysely<Tables>): Promise<WorkerFacts> {
  const { rows } = await sql<WorkerFacts>`
    select count(*) filter (where not stopped and heard_at > now() - interval '1 minute') as running,
      ${seconds(sql`max(heard_at)`)} as "lastHeartbeat"
    from workers`.execute(db)
  return rows[0] ?? { running: 0, lastHeartbeat: null }
}
