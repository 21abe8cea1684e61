import { type Filter, type ListQuery, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { keyColumns } from '../inventory/columns.ts'
import { listFrom, serverName } from './list-columns.ts'
import { filterCondition, where } from './list-filter.ts'

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

/** How many snapshots match, by the counters of their groups. */
export function countOfGroups(filters: ReadonlyArray<Filter>): RawBuilder<{ readonly count: number }> {
  const conditions = filters.map((filter) => filterCondition('group', filter))
  return sql`select coalesce(sum(t.snapshot_count), 0)::bigint as count from groups t ${where(conditions)}`
}

/**
 * The ids of a page in the model's own order, and their places: the groups are walked in their order, adding up their counters, and only the snapshots of those
 * that the page touches are read, newest first.
 */
export function walkedIds(
  filters: ReadonlyArray<Filter>,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): RawBuilder<unknown> {
  const conditions = filters.map((filter) => filterCondition('group', filter))
  const keys = (alias: string) => sql.join(groupKey.map(({ name }) => sql.ref(`${alias}.${name}`)))
  const inGroup = groupKey.map(({ name }) => sql`${sql.ref(`s.${name}`)} = ${sql.ref(`w.${name}`)}`)
  return sql`
    select id, row_number() over () as place from (
      select s.id from (
        select ${keys('t')}, t.snapshot_count,
          (sum(t.snapshot_count) over (order by v.name, ${keys('t')} rows unbounded preceding) - t.snapshot_count)::bigint as before
        ${listFrom('group', [serverName('group')])} ${where(conditions)}
      ) w
      cross join lateral (
        select s.id, row_number() over (order by s.backup_time desc) as nth from snapshots s where ${sql.join(inGroup, sql` and `)}
      ) s
      where w.before < ${offset + limit}::bigint and w.before + w.snapshot_count > ${offset}::bigint
        and w.before + s.nth > ${offset}::bigint and w.before + s.nth <= ${offset + limit}::bigint
      order by w.before, s.nth limit ${limit}
    ) ordered`
}
