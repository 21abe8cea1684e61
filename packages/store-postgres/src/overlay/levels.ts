import { type RawBuilder, sql } from 'kysely'
import { type Levels, mainLevels, scopeOf, type Within } from '../lists/levels.ts'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import type { OverlayFacts } from './facts.ts'
import { changedGroups, createdGroups, replacedGroups } from './groups.ts'
import { overlayServers } from './rows.ts'

const groupKey = keyColumns('group')

/** The counters of groups and snapshots in a branch: main's, with the differences that the branch makes. */
export function overlayLevels(facts: OverlayFacts): Levels {
  const servers = overlayServers(facts)
  if (!facts.counts && !facts.groups) return { ...mainLevels, servers }
  return {
    servers,
    scopes: (counted) => sql`(
      select ${scopeOf('t')}, t.n from ${mainLevels.scopes(counted)} union all ${scopeDifferences(facts.branch, counted)}
    ) t`,
    groups: (within) => groupCounts(facts.branch, within),
  }
}

/** The differences of a branch to the counters of main's scopes, each perhaps in several rows. */
export function scopeDifferences(branch: number, counted: 'groups' | 'snapshots'): RawBuilder<unknown> {
  const scope = scopeOf('x')
  if (counted === 'snapshots') {
    return sql`
      select ${scope}, x.snapshot_count - coalesce(g.snapshot_count, 0) as n
      from branch_group_counts x left join groups g on ${sameKey('group', 'g', 'x')} where x.branch_id = ${branch}::bigint`
  }
  const replaced = replacedGroups(branch).map(({ ids }) => ids)
  return sql`
    select ${scope}, 1::bigint as n from (${changedGroups(branch)} union all ${createdGroups(branch)}) x
    union all select ${scope}, -1 from groups x where x.id in (${sql.join(replaced, sql` union `)})`
}

/** Groups with how many snapshots each has. Those that the branch counts need not be groups of main. */
function groupCounts(branch: number, within: Within): RawBuilder<unknown> {
  const ofBranch = sql`c.branch_id = ${branch}::bigint`
  return sql`(
    select ${columnNames(groupKey, 'g')}, g.snapshot_count as n from groups g
    where ${within('g')} and not exists (select from branch_group_counts c where ${ofBranch} and ${sameKey('group', 'c', 'g')})
    union all
    select ${columnNames(groupKey, 'c')}, c.snapshot_count from branch_group_counts c where ${ofBranch} and c.snapshot_count > 0 and ${within('c')}
  ) t`
}
