import { type RawBuilder, sql } from 'kysely'
import { effective, mergedValue } from '../branches/branch-columns.ts'
import { branchCounters } from '../branches/branch-groups.ts'
import type { ListView, Replaced } from '../lists/list-view.ts'
import { comparedColumns, keyColumns, sameKey } from '../tables/columns.ts'
import { standingColumns } from '../writes/judge-groups.ts'
import type { OverlayFacts } from './facts.ts'
import { overlayMain, overlayRelation, shadowed } from './rows.ts'

const groupKey = keyColumns('group')

/** The counters of groups `g`: those that the branch has counted, `c`, else main's, `m`. */
const counters = sql.join(
  branchCounters.map(
    (name) =>
      sql`case when c.branch_id is null then ${sql.ref(`g.${name}`)} else ${sql.ref(`c.${name}`)} end as ${sql.id(name)}`,
  ),
)

/** What main has stored of the protection of a group. */
const standing = standingColumns.map(({ name, type }) => ({
  name,
  unjudged: name === 'standing' ? sql`'unjudged'::text collate "C"` : sql`null::${sql.raw(type)}`,
}))

/** The same in a branch: main's of the group `m`, unless the branch changes what it follows from. */
const standingIn = sql.join(
  standing.map(
    ({ name, unjudged }) =>
      sql`case when c.branch_id is null and g.as_in_main then ${sql.ref(`g.${name}`)} else ${unjudged} end as ${sql.id(name)}`,
  ),
)

const columnsOf = (alias: string) => sql.join(standing.map(({ name }) => sql.ref(`${alias}.${name}`)))

const unjudged = sql.join(standing.map(({ name, unjudged: value }) => sql`${value} as ${sql.id(name)}`))

/** Joins the counters that a branch has of the groups `g`. */
const counted = (branch: number): RawBuilder<unknown> =>
  sql`left join branch_group_counts c on c.branch_id = ${branch}::bigint and ${sameKey('group', 'c', 'g')}`

/** The counters of a group without snapshots. */
const none: Readonly<Record<string, RawBuilder<unknown>>> = {
  first_backup: sql`null::timestamptz`,
  last_backup: sql`null::timestamptz`,
  unfinished_since: sql`null::timestamptz`,
  total_size: sql`null::bigint`,
  newest_verification: sql`''::text collate "C"`,
  verifications: sql`'{}'::jsonb`,
  keys: sql`'{}'::jsonb`,
  newest_unencrypted: sql`false`,
}
const noneOf = (name: string) => none[name] ?? sql`0::bigint`
const uncounted = sql.join(branchCounters.map((name) => sql`${noneOf(name)} as ${sql.id(name)}`))

/** Main's counters, where it has the group. */
const ofMain = sql.join(
  branchCounters.map((name) => sql`coalesce(${sql.ref(`m.${name}`)}, ${noneOf(name)}) as ${sql.id(name)}`),
)

/**
 * Groups in a branch: main's, except those that it changes, which the branch's replace, with the
 * counters of their snapshots in it.
 */
export function overlayGroups(facts: OverlayFacts): ListView {
  const { branch } = facts
  const main = overlayMain({ ...facts, model: 'group' })
  if (!facts.counts && !facts.groups) return { model: 'group', main, replaced: [], others: [] }
  const others = [changedGroups, createdGroups].map((rows) => overlayRelation(facts, sql`(${rows(branch)}) t`, sql``))
  return { model: 'group', main, replaced: replacedGroups(branch), others }
}

/** The groups of main that are read from the branch instead. */
export function replacedGroups(branch: number): ReadonlyArray<Replaced> {
  const entries = sql`from branch_groups e where e.branch_id = ${branch}::bigint and e.op <> 'create'`
  const ofBranch = sql`c.branch_id = ${branch}::bigint and ${sameKey('group', 'c', 't')}`
  return [
    { matches: sql`select ${entries} and e.id = t.id`, ids: sql`select e.id ${entries}` },
    {
      matches: sql`select from branch_group_counts c where ${ofBranch}`,
      ids: sql`select t.id from branch_group_counts c join groups t on ${ofBranch}`,
    },
    shadowed(branch, 'group'),
  ]
}

/**
 * Groups that main has, or had, and of which the branch changes something: their own values, or
 * their snapshots. One without snapshots is seen while main's source lists it, as in main.
 */
export function changedGroups(branch: number): RawBuilder<unknown> {
  const ofBranch = sql`e.branch_id = ${branch}::bigint and e.op <> 'create'`
  return sql`
    select g.id, ${groupColumns('g')}, g.missing_since, ${counters}, ${standingIn}
    from (
      select i.id, ${changedColumns}, m.missing_since, coalesce(e.op = 'delete', false) as deleted, m.id is null as lost,
        ${ofMain},
        m.id is not null and coalesce(e.op = 'update' and not 'tags' = any(e.touched), true) as as_in_main, ${columnsOf('m')}
      from (
        select e.id from branch_groups e where ${ofBranch}
        union
        select t.id from branch_group_counts c join groups t on ${sameKey('group', 't', 'c')}
        where c.branch_id = ${branch}::bigint and not exists (${shadowed(branch, 'group').matches})
      ) i
      left join groups m on m.id = i.id left join branch_groups e on ${ofBranch} and e.id = i.id
    ) g ${counted(branch)}
    where not (g.deleted and g.lost)
      and (coalesce(c.snapshot_count, g.snapshot_count) > 0 or g.presence in ('listed', 'absent') and not g.deleted)`
}

const ownNames = ['presence', 'last_seen_own', 'created']
const mergedNames = ['tags', 'custom_fields']

/** The columns of changed groups: those of the entry `e` that it touches, else those of main's row `m`. */
const changedColumns = sql.join([
  ...[...groupKey.map(({ name }) => name), ...ownNames].map(
    (name) =>
      sql`case when m.id is null then ${sql.ref(`e.${name}`)} else ${sql.ref(`m.${name}`)} end as ${sql.id(name)}`,
  ),
  ...comparedColumns('group').map(
    (column) =>
      sql`case when e.id is null then ${sql.ref(`m.${column.name}`)} else ${effective(column)} end as ${sql.id(column.name)}`,
  ),
  ...mergedNames.map(
    (name) => sql`case when e.id is null then ${sql.ref(`m.${name}`)} else ${mergedValue(name)} end as ${sql.id(name)}`,
  ),
  sql`greatest(m.last_updated, e.last_updated) as last_updated`,
])

const groupColumns = (alias: string): RawBuilder<unknown> =>
  sql.join(
    [
      ...groupKey.map(({ name }) => name),
      ...ownNames,
      ...comparedColumns('group').map(({ name }) => name),
      ...mergedNames,
      'last_updated',
    ].map((name) => sql.ref(`${alias}.${name}`)),
  )

/** Groups that the branch creates; they are seen also without snapshots. */
export const createdGroups = (branch: number): RawBuilder<unknown> => sql`
  select g.id, ${groupColumns('g')}, null::timestamptz as missing_since, ${counters}, ${unjudged}
  from (select e.*, ${uncounted} from branch_groups e where e.branch_id = ${branch}::bigint and e.op = 'create') g ${counted(branch)}`
