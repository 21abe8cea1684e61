import {
  type OutcomeCounts,
  openRunStatuses,
  type Reason,
  type Resource,
  type Run,
  type RunMode,
  type RunStatus,
  type RunTrigger,
  runFields,
  type Scope,
  type ScopeFilter,
  type ScopeOutcome,
  type ScopeResult,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { andSeen, type SeenServers } from '../database/seen-servers.ts'
import { literals } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { recordListOf } from '../tables/record-list.ts'

/** Whether a row of `runs` is a run that has not ended. */
export const isOpenRun: RawBuilder<boolean> = sql<boolean>`status in (${literals(openRunStatuses)})`

/** The list of runs, as a query of `runs` alone sees its fields, or of the runs it has chosen, `r`. */
export const runList = recordListOf(runFields, {
  columns: {
    id: sql`id`,
    status: sql`status`,
    trigger: sql`trigger`,
    mode: sql`mode`,
    user: sql`started_by`,
    created: sql`created`,
    started: sql`started`,
    completed: sql`completed`,
    cancel_requested: sql`cancel_requested`,
  },
  order: sql`id desc`,
  id: sql`id`,
})

interface RunRow {
  readonly id: number
  readonly status: RunStatus
  readonly resources: ReadonlyArray<Resource>
  readonly servers: ReadonlyArray<string> | null
  readonly server_ids: ReadonlyArray<number | null> | null
  readonly scope_filter: ScopeFilter | null
  readonly trigger: RunTrigger
  readonly mode: RunMode
  readonly started_by: string
  readonly created: string
  readonly started: string | null
  readonly completed: string | null
  readonly cancel_requested: boolean
  readonly rows_read: number
  readonly requests: number
  readonly bytes: number
  readonly millis: number
  readonly most_in_flight: number
  readonly error: string
  readonly rows_created: number
  readonly rows_updated: number
  readonly rows_deleted: number
  readonly rows_unchanged: number
  readonly rows_held_back: number
  readonly staged_created: number
  readonly staged_updated: number
  readonly staged_deleted: number
  readonly outcomes: Readonly<Partial<Record<ScopeOutcome, number>>>
}

/**
 * The runs that `where` chooses. Counts are summed from jobs and scopes at each read, because on
 * the run's own row they would make jobs that end scopes at once wait for each other; staged rows
 * count as landed once every branch that the run staged into is merged or closed without a change.
 * `seen` leaves out what the runs did for other servers.
 */
export async function selectRuns(
  db: Kysely<Tables>,
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown> = runList.order,
  seen: SeenServers = null,
): Promise<ReadonlyArray<Run>> {
  const { rows } = await sql<RunRow>`
    with r as materialized (select * from runs where ${where})
    select
      r.id, r.status, r.resources, c.servers, c.server_ids, ${seen === null ? sql`r.scope_filter` : sql`case when c.all_seen then r.scope_filter end as scope_filter`}, r.trigger, r.mode, r.started_by, r.created, r.started, r.completed,
      r.cancel_requested, j.rows_read, j.requests, j.bytes, j.millis, j.most_in_flight, j.error,
      s.rows_created + case when b.merged then s.staged_created else 0 end as rows_created,
      s.rows_updated + case when b.merged then s.staged_updated else 0 end as rows_updated,
      s.rows_deleted + case when b.merged then s.staged_deleted else 0 end as rows_deleted,
      case when b.merged then 0 else s.staged_created end as staged_created,
      case when b.merged then 0 else s.staged_updated end as staged_updated,
      case when b.merged then 0 else s.staged_deleted end as staged_deleted,
      s.rows_unchanged + j.unchanged_rows as rows_unchanged,
      s.rows_held_back, s.outcomes || jsonb_build_object('unchanged', j.unchanged_scopes) as outcomes
    from r
    cross join lateral (
      select jsonb_agg(coalesce(n.name, c.value ->> 'name') order by c.place) as servers, jsonb_agg(c.value -> 'id' order by c.place) as server_ids,
        coalesce(count(*) = jsonb_array_length(r.servers), false) as all_seen
      from jsonb_array_elements(r.servers) with ordinality as c (value, place)
      left join server_names n on n.server_id = (c.value ->> 'id')::bigint
      where true ${andSeen(seen, sql`(c.value ->> 'id')::bigint`)}
    ) c
    cross join lateral (
      select
        coalesce(sum(rows_read), 0)::bigint as rows_read,
        coalesce(sum(requests), 0)::bigint as requests,
        coalesce(sum(bytes), 0)::bigint as bytes,
        coalesce(sum(millis), 0)::bigint as millis,
        coalesce(max(most_in_flight), 0)::bigint as most_in_flight,
        coalesce(sum(unchanged_scopes), 0)::bigint as unchanged_scopes,
        coalesce(sum(unchanged_rows), 0)::bigint as unchanged_rows,
        coalesce(left(string_agg(distinct nullif(error, ''), '; '), 4000), '') as error
      from run_jobs where run_id = r.id ${andSeen(seen, sql`server_id`)}
    ) j
    cross join lateral (
      select
        coalesce(sum(created) filter (where outcome <> 'staged'), 0)::bigint as rows_created,
        coalesce(sum(updated) filter (where outcome <> 'staged'), 0)::bigint as rows_updated,
        coalesce(sum(deleted) filter (where outcome <> 'staged'), 0)::bigint as rows_deleted,
        coalesce(sum(created) filter (where outcome = 'staged'), 0)::bigint as staged_created,
        coalesce(sum(updated) filter (where outcome = 'staged'), 0)::bigint as staged_updated,
        coalesce(sum(deleted) filter (where outcome = 'staged'), 0)::bigint as staged_deleted,
        coalesce(sum(unchanged), 0)::bigint as rows_unchanged,
        coalesce(sum(held_back), 0)::bigint as rows_held_back,
        coalesce(jsonb_object_agg(outcome, scopes) filter (where outcome is not null), '{}') as outcomes
      from (
        select outcome, count(*) as scopes, sum(created) as created, sum(updated) as updated, sum(deleted) as deleted,
          sum(unchanged) as unchanged, sum(held_back) as held_back
        from run_scopes where run_id = r.id ${andSeen(seen, sql`server_id`)} group by outcome
      ) by_outcome
    ) s
    cross join lateral (
      select coalesce(bool_and(status = 'merged'), false) as merged from branches
      where (run_id = r.id or id in (select branch_id from branch_scopes where run_id = r.id))
        and status not in ('no_changes', 'superseded')
    ) b
    order by ${order}`.execute(db)
  return rows.map(toRun)
}

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    status: row.status,
    resources: row.resources,
    servers: row.servers,
    serverIds: row.server_ids,
    scope_filter: row.scope_filter,
    trigger: row.trigger,
    mode: row.mode,
    user: row.started_by,
    created: row.created,
    started: row.started,
    completed: row.completed,
    counts: {
      created: row.rows_created,
      updated: row.rows_updated,
      deleted: row.rows_deleted,
      unchanged: row.rows_unchanged,
      held_back: row.rows_held_back,
    },
    staged: { created: row.staged_created, updated: row.staged_updated, deleted: row.staged_deleted },
    outcomes: { ...noScopes, ...row.outcomes },
    rows_read: row.rows_read,
    cost: { requests: row.requests, bytes: row.bytes, millis: row.millis, most_in_flight: row.most_in_flight },
    error: row.error,
    cancel_requested: row.cancel_requested,
  }
}

const noScopes: OutcomeCounts = {
  landed: 0,
  staged: 0,
  unchanged: 0,
  held_back: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
}

/** A row of `run_scopes`. */
export interface ScopeRow {
  readonly scope: Scope
  readonly outcome: ScopeOutcome
  readonly reason: Reason | null
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly unchanged: number
  readonly held_back: number
  readonly started: string
  readonly ended: string
}

/** A recorded scope. */
export function toScopeResult({ scope, outcome, reason, started, ended, ...counts }: ScopeRow): ScopeResult {
  return { scope, outcome, reason, counts, started, ended }
}
