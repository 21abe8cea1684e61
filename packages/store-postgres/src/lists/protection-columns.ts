import { type RawBuilder, sql } from 'kysely'
import { sameKey } from '../tables/columns.ts'

/** When the list of the group `t` was last read completely; one that the last list lacked was not in it. */
const readAt = sql`case when t.presence = 'absent' then t.last_seen_own else c.last_complete_at end`

/** Whether what is stored of the group `t` does not hold any more, and it waits to be judged again. */
const isBehind = sql`(t.standing = 'unjudged' or t.judge_again_at <= now() or c.judged_version < (select j.version from judging j))`

/** Whether a task runs that backs the group `t` up. Its id leaves the namespace out. */
const isRunning = sql`exists (
  select from tasks k where k.server_id = t.server_id and k.datastore_name = t.datastore_name and k.backup_type = t.backup_type
    and k.backup_id = t.backup_id and k.worker_type = 'backup' and k.outcome = 'running' and k.backup_id <> ''
)`

/** Whether the verification of the newest backup of the group `t`, which failed, is that of another copy. */
const failedElsewhere = (placeOf: (alias: string) => RawBuilder<unknown>): RawBuilder<unknown> => sql`coalesce((
  select ${placeOf('s')} = 'elsewhere' from snapshots s
  where ${sameKey('group', 's', 't')} and s.backup_time = t.fresh_until - t.objective * interval '1 second'
), false)`

/**
 * How a group is protected and since when, at the time of the query: core's `protectionAt` as
 * expressions over what is stored, which need the joins of scopes and datastores. A test compares them.
 */
export function protectionColumns(
  placeOf: (alias: string) => RawBuilder<unknown>,
): Readonly<Record<'protection' | 'protection_since', RawBuilder<unknown>>> {
  const of = (unless: RawBuilder<unknown>, values: Values): RawBuilder<unknown> => sql`case
    when ${isBehind} or ${readAt} is null then ${values.unread}
    when t.standing = 'not_watched' then ${values.notWatched}
    when t.standing = 'failed' and not ${unless} then ${values.failed}
    when t.standing = 'incomplete' then ${values.incomplete}
    when t.standing = 'missing' then ${values.missing}
    when t.fresh_until > now() then ${values.fresh}
    when d.off_since is not null then ${values.off}
    when ${readAt} >= t.fresh_until then ${values.late}
    else ${values.past} end`
  const elsewhere = failedElsewhere(placeOf)
  const text = (value: string) => sql`${sql.lit(value)}`
  const noTime = sql`null::timestamptz`
  const state = of(elsewhere, {
    unread: text('unknown'),
    notWatched: text('not_watched'),
    failed: text('at_risk'),
    incomplete: sql`case when ${isRunning} then 'unknown' else 'at_risk' end`,
    missing: sql`case when d.off_since is null then 'missing' else 'unknown' end`,
    fresh: text('protected'),
    off: text('unknown'),
    late: text('late'),
    past: text('unknown'),
  })
  const since = of(elsewhere, {
    unread: noTime,
    notWatched: noTime,
    failed: sql`t.standing_since`,
    incomplete: sql`t.standing_since`,
    missing: sql`coalesce(d.off_since, case when t.fresh_until <= now() then t.fresh_until end)`,
    fresh: noTime,
    off: sql`greatest(d.off_since, t.fresh_until)`,
    late: sql`t.fresh_until`,
    past: sql`t.fresh_until`,
  })
  return { protection: state, protection_since: since }
}

type Values = Readonly<
  Record<
    'unread' | 'notWatched' | 'failed' | 'incomplete' | 'missing' | 'fresh' | 'off' | 'late' | 'past',
    RawBuilder<unknown>
  >
>

/** The place of each state, the worst first, by which groups are ordered. */
const severities = ['missing', 'at_risk', 'late', 'unknown', 'protected', 'not_watched']

/** How bad a state is: 0 is the worst. */
export const severityOf = (state: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`array_position(${sql.lit(`{${severities.join(',')}}`)}::text[], ${state})`

/**
 * A condition on the stored columns that every group in one of some states meets, so that an index
 * finds them; null: there is none.
 */
export function mayBeIn(states: ReadonlyArray<unknown>): RawBuilder<unknown> | null {
  const conditions = states.map((state) => (typeof state === 'string' ? stored[state] : undefined))
  const known = conditions.flatMap((condition) => condition ?? [])
  return known.length < states.length || known.length === 0 ? null : sql`(${sql.join(known, sql` or `)})`
}

/** What is stored of the groups in a state. An unknown one may be any. */
const stored: Readonly<Record<string, RawBuilder<unknown>>> = {
  missing: sql`t.standing = 'missing'`,
  at_risk: sql`t.standing in ('failed', 'incomplete')`,
  late: sql`t.fresh_until <= now()`,
  protected: sql`t.fresh_until > now()`,
  not_watched: sql`t.standing = 'not_watched'`,
}
