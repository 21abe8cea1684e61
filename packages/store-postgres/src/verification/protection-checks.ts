import { type RawBuilder, sql } from 'kysely'
import { sameKey } from '../tables/columns.ts'
import { countsAsBackup, judgeGroups, judgingUntil, mostBackups, standingColumns } from '../writes/judge-groups.ts'
import { type Check, groupTitle, idsOf, lockUnit, namespaceUnit, object } from './check.ts'
import { byKey } from './pieces.ts'

/** Whether a text fits a pattern of a rule, which is core's `fitsGlob` in SQL. */
const fits = (pattern: string, text: RawBuilder<unknown>): RawBuilder<unknown> => {
  const column = sql.ref(`o.${pattern}`)
  const escaped = sql`replace(replace(replace(${column}, '\\', '\\\\'), '%', '\\%'), '_', '\\_')`
  return sql`(${column} is null or ${text} like replace(replace(${escaped}, '*', '%'), '?', '_'))`
}

/** The first rule that fits the group `g`. */
const firstRule = sql`
  select o.id, o.hours from objectives o
  where ${fits('server', sql`v.name`)} and ${fits('datastore', sql`g.datastore_name`)} and ${fits('namespace', sql`g.namespace`)}
    and ${fits('backup_type', sql`g.backup_type`)} and ${fits('backup_id', sql`g.backup_id`)}
    and (o.tag is null or exists (
      select from tags x where x.removed is null and x.values ->> 'slug' = o.tag and g.tags @> jsonb_build_array(x.id)))
  order by o.weight, o.id limit 1`

const ofGroup = sql`${sameKey('group', 's', 'g')} and ${countsAsBackup('s')}`

/** The newest backups of the group `g`, with the seconds since the one before each. */
const newest = sql`
  select s.*, extract(epoch from s.backup_time - lead(s.backup_time) over (order by s.backup_time desc))::float8 as gap
  from (
    select s.backup_time, s.verification_state, s.verification_upid from snapshots s
    where ${ofGroup} and s.finished and s.backup_time <= ${judgingUntil} order by s.backup_time desc limit ${sql.lit(mostBackups)}
  ) s`

/** The start of the verification of the newest backup, which its UPID has in hexadecimal. */
const verifiedAt = sql`case when split_part(b.upid, ':', 1) = 'UPID' and split_part(b.upid, ':', 6) ~ '^[0-9A-Fa-f]{1,8}$'
    and split_part(b.upid, ':', 6) !~ '^0+$'
  then to_timestamp(('x' || lpad(split_part(b.upid, ':', 6), 8, '0'))::bit(32)::bigint) end`

/** What the group `g` stands at, from its snapshots `b` and the rule `r`, as core's `standingOf` has it. */
const recount = {
  objective: sql`a.age`,
  objective_rule: sql`r.id`,
  fresh_until: sql`case when a.age is not null then b.newest + a.age * interval '1 second' end`,
  standing: sql`k.standing`,
  standing_since: sql`case k.standing when 'failed' then ${verifiedAt} when 'incomplete' then f.unfinished end`,
  judge_again_at: sql`case when a.age is not null then f.next - (${judgingUntil} - now()) end`,
}

const isListed = sql`g.presence in ('listed', 'absent')`

const standing = sql`case
  when a.age is null then 'not_watched'
  when not ${isListed} then 'missing'
  when b.state = 'failed' then 'failed'
  when b.newest is not null then 'dated'
  when f.unfinished is not null then 'incomplete'
  else 'missing' end`

/** Groups that are judged by other rules than the present ones, or before a backup of the future has come, say so. */
const isPresent = sql`c.judged_version = j.version and (g.judge_again_at is null or g.judge_again_at > now())`

const jsonOf = (name: string, value: RawBuilder<unknown>) => [name, sql`to_jsonb(${value})`] as const

const groupStandings: Check = {
  name: 'groups.standing',
  table: 'groups',
  rule: 'The objective of a group is that of the first rule that fits it, else of its rhythm; by it and its listed snapshots a group stands where it does.',
  pieces: byKey(
    'group',
    (range) => sql`
      select g.id, ${groupTitle('g')} as title, ${namespaceUnit('g')} as unit, s.stored,
        case when ${isPresent} then ${object(Object.fromEntries(Object.entries(recount).map(([name, value]) => jsonOf(name, value))))} else s.stored end as recount
      from groups g
      join servers v on v.id = g.server_id
      cross join judging j
      left join scopes c on c.resource = 'snapshots' and c.server_id = g.server_id and c.datastore_name = g.datastore_name and c.namespace = g.namespace
      left join lateral (${firstRule}) r on true
      cross join lateral (
        select max(n.backup_time) as newest, count(*) as backups, percentile_cont(0.5) within group (order by n.gap) as rhythm,
          (array_agg(n.verification_state order by n.backup_time desc))[1] as state,
          (array_agg(n.verification_upid order by n.backup_time desc))[1] as upid
        from (${newest}) n
      ) b
      cross join lateral (
        select min(s.backup_time) filter (where s.finished and s.backup_time > ${judgingUntil}) as next,
          min(s.backup_time) filter (where not s.finished) as unfinished
        from snapshots s where ${ofGroup}
      ) f
      cross join lateral (
        select case when r.id is not null then r.hours * 3600 when b.backups < 3 then 26 * 3600
          else least(8 * 86400, greatest(26 * 3600, floor(b.rhythm * 1.5 + 0.5)))::bigint end as age
      ) a
      cross join lateral (select ${standing} as standing) k
      cross join lateral (
        select ${object(Object.fromEntries(standingColumns.map(({ name }) => jsonOf(name, sql.ref(`g.${name}`)))))} as stored
      ) s
      where ${range('g')}`,
  ),
  repair: {
    lock: lockUnit,
    write: (db, _, rows) => judgeGroups(db, sql`g.id = any(${idsOf(rows)})`),
  },
}

/** The checks of the protection of groups. */
export const protectionChecks: ReadonlyArray<Check> = [groupStandings]
