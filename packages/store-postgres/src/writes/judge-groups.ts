import {
  clockTolerance,
  type GroupStanding,
  type Objective,
  type ObjectiveRule,
  objectiveOf,
  objectiveRuleOf,
  type StoredObjectiveRule,
  standingOf,
  verifiedAt,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { inScope, isScopeRow, type ScopePlace } from '../scopes/scope-place.ts'
import { sameKey } from '../tables/columns.ts'
import { followBreaches } from './breaches.ts'

/** The columns of a group that follow from its snapshots and the rules. */
export const standingColumns = [
  { name: 'objective', type: 'bigint' },
  { name: 'objective_rule', type: 'bigint' },
  { name: 'fresh_until', type: 'timestamptz' },
  { name: 'standing', type: 'text' },
  { name: 'standing_since', type: 'timestamptz' },
  { name: 'judge_again_at', type: 'timestamptz' },
] as const

/** Their values; times are in seconds since 1970. */
type Judged = Readonly<Record<(typeof standingColumns)[number]['name'], string | number | null>>

/** The newest finished backups that are read of each group: as many as make the rhythm. */
export const mostBackups = 15

/** Groups that are judged at a time. */
const batchSize = 1000

/** A group as it is stored, with what it is judged by. Times are in seconds since 1970. */
interface KnownGroup extends Judged {
  readonly id: number
  readonly now: number
  readonly server: string
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
  readonly listed: boolean
  readonly tags: ReadonlyArray<string>
  /** The newest backups, newest first, without those of the future. */
  readonly times: ReadonlyArray<number>
  readonly verification_state: string | null
  readonly verification_upid: string | null
  /** The first backup of the future. */
  readonly next: number | null
  readonly unfinished: number | null
  /** When its open breach began. */
  readonly breach: number | null
}

const seconds = (time: RawBuilder<unknown>): RawBuilder<unknown> => sql`extract(epoch from ${time})::float8`

/** A snapshot counts while its source lists it, or has lacked it but once. */
export const countsAsBackup = (alias: string): RawBuilder<unknown> =>
  sql`${sql.ref(`${alias}.presence`)} in ('listed', 'absent')`

/** The present time of the database, to which a backup of a server whose clock is ahead belongs. */
export const judgingUntil = sql`now() + ${sql.lit(clockTolerance)} * interval '1 second'`

/** The rules in the order in which they apply, and the version of judging that they are. */
interface Rules {
  readonly version: number
  readonly rules: ReadonlyArray<ObjectiveRule>
}

/** Reads the rules. A scope that is judged by them has their version. */
async function readRules(db: Kysely<Tables>): Promise<Rules> {
  const { rows } = await sql<{ version: number; rules: ReadonlyArray<StoredObjectiveRule> }>`
    select j.version, coalesce((select jsonb_agg(to_jsonb(o) order by o.weight, o.id) from objectives o), '[]') as rules
    from judging j`.execute(db)
  const [found] = rows
  return { version: found?.version ?? 0, rules: (found?.rules ?? []).map(objectiveRuleOf) }
}

/**
 * Judges groups by their snapshots and the rules, and stores what has changed. `which` finds the rows
 * `g`. Hold the locks of their scopes, or write to their tags alone.
 */
export async function judgeGroups(db: Kysely<Tables>, which: RawBuilder<unknown>, rules?: Rules): Promise<void> {
  const { rows } = await sql<{ id: number }>`select g.id from groups g where ${which} order by g.id`.execute(db)
  if (rows.length === 0) return
  const known = rules ?? (await readRules(db))
  for (let at = 0; at < rows.length; at += batchSize)
    await judgeBatch(
      db,
      rows.slice(at, at + batchSize).map(({ id }) => id),
      known,
    )
}

/** The condition on the rows `g` that finds the groups whose keys a query selects. */
export const groupsOfKeys = (keys: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  g.id = any(array(
    select k.id from (${keys}) t cross join lateral (select k.id from groups k where ${sameKey('group', 'k', 't')} offset 0) k
  ))`

async function judgeBatch(db: Kysely<Tables>, ids: ReadonlyArray<number>, rules: Rules): Promise<void> {
  const groups = (await groupsOf(db, ids, rules)).map((group) => {
    const { age, rule } = objectiveOf(subjectOf(group), rules.rules, group.times)
    return { group, age, judged: judge(group, { age, rule }) }
  })
  await followBreaches(
    db,
    groups.map(({ group, age }) => ({ ...group, age })),
  )
  const changed = groups.flatMap(({ group, judged }) =>
    standingColumns.some(({ name }) => judged[name] !== group[name]) ? [{ id: group.id, ...judged }] : [],
  )
  if (changed.length === 0) return
  const typed = standingColumns.map(
    ({ name, type }) => sql`${sql.id(name)} ${sql.raw(type === 'timestamptz' ? 'float8' : type)}`,
  )
  const set = standingColumns.map(({ name, type }) => {
    const value = sql.ref(`r.${name}`)
    return sql`${sql.id(name)} = ${type === 'timestamptz' ? sql`to_timestamp(${value})` : value}`
  })
  await sql`
    update groups g set ${sql.join(set)} from jsonb_to_recordset(${jsonb(changed)}) as r (id bigint, ${sql.join(typed)})
    where g.id = r.id`.execute(db)
}

/** What a group stands at, as its columns hold it. */
function judge(group: KnownGroup, { age, rule }: Pick<Objective, 'age' | 'rule'>): Judged {
  const { standing, standingSince, freshUntil, judgeAgainAt } = standingBy(group, age)
  return {
    objective: age,
    objective_rule: rule,
    fresh_until: freshUntil,
    standing,
    standing_since: standingSince,
    judge_again_at: judgeAgainAt,
  }
}

const subjectOf = ({
  server,
  datastore_name,
  namespace,
  backup_type,
  backup_id,
  tags,
}: Pick<KnownGroup, 'server' | 'datastore_name' | 'namespace' | 'backup_type' | 'backup_id' | 'tags'>) => ({
  ...{ server, datastore: datastore_name, namespace, type: backup_type, id: backup_id, tags },
})

/** Where it was verified is asked when the group is read, because the nodes of the fleet change. */
function standingBy(group: KnownGroup, age: number | null): GroupStanding {
  const { listed, times, next, unfinished, verification_state, verification_upid, now } = group
  const failed = verification_state === 'failed'
  const began = verifiedAt({ verification_state: verification_state ?? '', verification_upid: verification_upid ?? '' })
  const past = times.map((time, nth) => ({
    time,
    verification: nth === 0 && failed ? ('failed' as const) : ('none' as const),
    verifiedAt: nth === 0 ? began : null,
  }))
  const future = next === null ? [] : [{ time: next, verification: 'none' as const, verifiedAt: null }]
  return standingOf({ age, listed, backups: [...future, ...past], unfinishedSince: unfinished }, now)
}

/** The slugs of the tags of the group `g`. */
const tagsOf = sql`case when g.tags = '[]' then '[]'::jsonb else coalesce((
    select jsonb_agg(x.values -> 'slug') from tags x where x.removed is null and g.tags @> jsonb_build_array(x.id)
  ), '[]') end`

/**
 * Locks groups, and reads what they are judged by. They are chosen first: without statistics the planner reads the
 * snapshots of all groups before it looks at the ids.
 */
async function groupsOf(
  db: Kysely<Tables>,
  ids: ReadonlyArray<number>,
  { rules }: Rules,
): Promise<ReadonlyArray<KnownGroup>> {
  const stored = standingColumns.map(({ name, type }) => {
    const value = sql.ref(`g.${name}`)
    return sql`${type === 'timestamptz' ? seconds(value) : value} as ${sql.id(name)}`
  })
  const tags = rules.some(({ tag }) => typeof tag === 'string') ? tagsOf : sql`'[]'::jsonb`
  const ofGroup = sql`${sameKey('group', 's', 'g')} and ${countsAsBackup('s')}`
  const { rows } = await sql<KnownGroup>`
    with g as materialized (
      select g.* from groups g where g.id = any(${ids}::bigint[]) order by g.id for no key update
    )
    select g.id, ${seconds(sql`now()`)} as now, v.name as server, g.datastore_name, g.namespace, g.backup_type, g.backup_id,
      g.presence in ('listed', 'absent') as listed, ${tags} as tags, ${sql.join(stored)},
      b.times, b.verification_state, b.verification_upid,
      (select ${seconds(sql`x.began`)} from breaches x where x.group_id = g.id and x.ended is null) as breach,
      case when g.last_backup > ${judgingUntil} then (
        select ${seconds(sql`min(s.backup_time)`)} from snapshots s where ${ofGroup} and s.finished and s.backup_time > ${judgingUntil}
      ) end as next,
      case when g.unfinished_since is not null and b.times = '[]' then (
        select ${seconds(sql`min(s.backup_time)`)} from snapshots s where ${ofGroup} and not s.finished
      ) end as unfinished
    from g join servers v on v.id = g.server_id
    cross join lateral (
      select coalesce(jsonb_agg(${seconds(sql`s.backup_time`)} order by s.backup_time desc), '[]') as times,
        (array_agg(s.verification_state order by s.backup_time desc))[1] as verification_state,
        (array_agg(s.verification_upid order by s.backup_time desc))[1] as verification_upid
      from (
        select s.backup_time, s.verification_state, s.verification_upid from snapshots s
        where ${ofGroup} and s.finished and s.backup_time <= ${judgingUntil} order by s.backup_time desc limit ${sql.lit(mostBackups)}
      ) s
    ) b
    order by g.id`.execute(db)
  return rows
}

/**
 * Judges the groups of a namespace that rules which have changed since it was judged are about, and
 * those that are due. Hold the lock of its scope. Returns whether anything was to be done.
 */
export async function judgeScope(db: Kysely<Tables>, place: ScopePlace): Promise<boolean> {
  const due = sql`${inScope(place, 'g')} and g.judge_again_at <= now()`
  const { rows } = await sql<{ due: boolean; behind: boolean }>`
    select exists (select from groups g where ${due}) as due, exists (
        select from scopes where ${isScopeRow(place)} and judged_version < (select version from judging)
      ) as behind`.execute(db)
  const [now] = rows
  if (now?.due) await judgeGroups(db, due)
  if (!now?.behind) return now?.due === true
  const rules = await readRules(db)
  for (let after = 0; ; ) {
    const page = await groupsByRule(db, place, { rules, after })
    const last = page.at(-1)
    if (last === undefined) break
    const concerned = page.filter((group) => isConcerned(group, rules.rules)).map(({ id }) => id)
    if (concerned.length > 0) await judgeGroups(db, sql`g.id = any(${concerned}::bigint[])`, rules)
    after = last.id
  }
  await noteJudged(db, place, rules)
  return true
}

/** Judges all groups of a namespace. Hold the lock of its scope. */
export async function judgeAll(db: Kysely<Tables>, place: ScopePlace): Promise<void> {
  const rules = await readRules(db)
  await judgeGroups(db, inScope(place, 'g'), rules)
  await noteJudged(db, place, rules)
}

/** Notes that all groups of a namespace are judged by these rules. */
async function noteJudged(db: Kysely<Tables>, place: ScopePlace, { version }: Rules): Promise<void> {
  await sql`
    update scopes set judged_version = ${version}::bigint where ${isScopeRow(place)} and judged_version < ${version}::bigint`.execute(
    db,
  )
}

/** A group, and the objective that it has been given. */
type RuledGroup = Pick<
  KnownGroup,
  | 'id'
  | 'server'
  | 'datastore_name'
  | 'namespace'
  | 'backup_type'
  | 'backup_id'
  | 'tags'
  | 'objective'
  | 'objective_rule'
  | 'standing'
>

async function groupsByRule(
  db: Kysely<Tables>,
  place: ScopePlace,
  { rules, after }: { readonly rules: Rules; readonly after: number },
): Promise<ReadonlyArray<RuledGroup>> {
  const tags = rules.rules.some(({ tag }) => typeof tag === 'string') ? tagsOf : sql`'[]'::jsonb`
  const { rows } = await sql<RuledGroup>`
    select g.id, v.name as server, g.datastore_name, g.namespace, g.backup_type, g.backup_id, ${tags} as tags,
      g.objective, g.objective_rule, g.standing
    from groups g join servers v on v.id = g.server_id
    where ${inScope(place, 'g')} and g.id > ${after}::bigint order by g.id limit 5000`.execute(db)
  return rows
}

/** Whether the rule that applies to a group is another one than that by which it was judged, or says otherwise. */
function isConcerned(group: RuledGroup, rules: ReadonlyArray<ObjectiveRule>): boolean {
  if (group.standing === 'unjudged') return true
  const { age, rule } = objectiveOf(subjectOf(group), rules, [])
  return rule !== group.objective_rule || (rule !== null && age !== group.objective)
}
