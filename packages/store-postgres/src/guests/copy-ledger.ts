import type { CopyLedger } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { andSeen, type SeenServers } from '../database/seen-servers.ts'
import type { Tables } from '../database/tables.ts'
import { sameKey } from '../tables/columns.ts'

/**
 * What sync jobs have copied, and which of them end well while their copies lag: the points that a copy lacks
 * of its source were seen finished before the job's newest good run began, and the list of the copy was
 * complete after the run ended. Jobs without a copy are left out.
 */
export async function copyLedger(
  db: Kysely<Tables>,
  { job, seen = null }: { readonly job?: number; readonly seen?: SeenServers } = {},
): Promise<ReadonlyArray<CopyLedger>> {
  const asked = job === undefined ? sql`` : sql`and j.id = ${job}::bigint`
  const { rows } = await sql<CopyLedger>`
    with j as materialized (
      select j.id, j.server_id, j.job_id, v.name, r.starttime, r.endtime,
        coalesce(j.options ->> 'encrypted-only', 'false') = 'true' or coalesce(j.options ->> 'verified-only', 'false') = 'true' as selective
      from jobs j join servers v on v.id = j.server_id
      left join lateral (
        select k.starttime, k.endtime from tasks k
        where k.server_id = j.server_id and k.job_type = 'sync' and k.job_id = j.job_id and k.outcome = 'ok' and k.endtime is not null
        order by k.starttime desc limit 1
      ) r on true
      where j.job_type = 'sync' ${asked} ${andSeen(seen, sql`j.server_id`)}
    ), c as materialized (
      select j.id, p.behind, p.since, p.silent, p.silent_since
      from j join guest_copies c on c.job_id = j.id
      join groups g on g.id = c.group_id and g.server_id = c.server_id
      join groups o on o.id = c.copy_of and o.server_id = c.copy_of_server_id
      left join scopes l on l.resource = 'snapshots' and l.server_id = g.server_id and l.datastore_name = g.datastore_name and l.namespace = g.namespace
      cross join lateral (
        select count(*) as behind, min(s.backup_time) as since, count(*) filter (where w.was_there) as silent,
          min(s.backup_time) filter (where w.was_there) as silent_since
        from snapshots s cross join lateral (
          select greatest(s.created, s.last_updated) < j.starttime and l.last_complete_at > j.endtime as was_there
        ) w
        where c.lag_since is not null and ${sameKey('group', 's', 'o')} and s.finished and s.backup_time <= s.created + interval '1 minute'
          and (g.last_backup is null or s.backup_time > g.last_backup)
      ) p
      where true ${andSeen(seen, sql`g.server_id`)} ${andSeen(seen, sql`o.server_id`)}
    )
    select j.id as job, jsonb_build_object('id', j.server_id, 'name', j.name) as server, j.job_id as name, count(*) as copies,
      count(*) filter (where c.behind > 0) as lagging_copies, sum(c.behind)::bigint as points_behind, min(c.since) as lag_since,
      j.starttime as last_good_run,
      case when not j.selective then count(*) filter (where c.silent > 0) end as silent_copies,
      case when not j.selective then min(c.silent_since) end as silent_since
    from j join c on c.id = j.id group by j.id, j.server_id, j.name, j.job_id, j.starttime, j.selective order by j.id`.execute(
    db,
  )
  return rows
}
