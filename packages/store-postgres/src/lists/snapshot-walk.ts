import { type Filter, type ListQuery, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import { type ListColumn, listFrom, serverName } from './list-columns.ts'
import { filterCondition, where } from './list-filter.ts'
import { type ListView, partsOf } from './list-view.ts'
import type { Slice } from './page-ids.ts'
import type { Relation } from './relation.ts'

const groupKey = keyColumns('group')

/** What of a query of snapshots asks about their groups' keys alone. */
type Walkable = Pick<ListQuery, 'model' | 'filters' | 'search' | 'order'>

/** Whether the groups' counters know how many snapshots match: nothing but columns of the group's key is asked for. */
export function countsByGroups({ model, filters, search }: Walkable): boolean {
  const names: ReadonlyArray<string> = registry.group.key
  return (
    model === 'snapshot' &&
    (search === null || search === '') &&
    filters.every(({ field, lookup }) => lookup === 'exact' && names.includes(field))
  )
}

/** Whether a page lies in the order of the groups too, and so is found by walking them. */
export const walksGroups = (query: Walkable): boolean => query.order.length === 0 && countsByGroups(query)

/**
 * How many snapshots match, by the counters of their groups: the relation's rows are groups by
 * their key with `snapshot_count`.
 */
export const countOfGroups = (
  groups: Relation,
  filters: ReadonlyArray<Filter>,
): RawBuilder<{ readonly count: number }> =>
  sql`select coalesce(sum(t.snapshot_count), 0)::bigint as count ${groupsFrom(groups, filters)}`

function groupsFrom(
  groups: Relation,
  filters: ReadonlyArray<Filter>,
  columns: ReadonlyArray<ListColumn> = [],
): RawBuilder<unknown> {
  const conditions = filters.map((filter) => filterCondition('group', filter).where)
  return sql`${listFrom('group', columns, groups)} ${where([...conditions, ...groups.seen])}`
}

/**
 * The ids of a page in the model's own order, and their places: the groups are walked in their
 * order, adding up their counters, and only the snapshots of those that the page touches are read,
 * newest first.
 */
export function walkedIds(
  snapshots: ListView,
  groups: Relation,
  filters: ReadonlyArray<Filter>,
  { limit, offset }: Slice,
): RawBuilder<unknown> {
  const inGroup = { where: sameKey('group', 't', 'w'), columns: [] }
  const ofGroup = partsOf(snapshots, { conditions: [inGroup] }).map((part) => sql`select t.id, t.backup_time ${part}`)
  return sql`
    select id, row_number() over () as place from (
      select s.id from (
        select ${columnNames(groupKey, 't')}, t.snapshot_count,
          (sum(t.snapshot_count) over (order by v.name, ${columnNames(groupKey, 't')} rows unbounded preceding) - t.snapshot_count)::bigint as before
        ${groupsFrom(groups, filters, [serverName('group')])}
      ) w
      cross join lateral (
        select s.id, row_number() over (order by s.backup_time desc) as nth from (${sql.join(ofGroup, sql` union all `)}) s
      ) s
      where w.before < ${offset + limit}::bigint and w.before + w.snapshot_count > ${offset}::bigint
        and w.before + s.nth > ${offset}::bigint and w.before + s.nth <= ${offset + limit}::bigint
      order by w.before, s.nth limit ${limit}
    ) ordered`
}
