import { everyModelFields } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type ListView, partsOf } from '../lists/list-view.ts'
import { factColumns, sameKey } from '../tables/columns.ts'
import type { OverlayFacts } from './facts.ts'
import { scopeDifferences } from './levels.ts'
import { overlayRelation, overlayRows } from './rows.ts'

/**
 * Namespaces in a branch: their counters are main's plus the branch's changes to the groups in
 * them. They are few, and read whole.
 */
export function overlayNamespaces(facts: OverlayFacts): ListView {
  const rows = overlayRows(facts, 'all')
  if (!facts.counts && !facts.groups && rows.others.length === 0) return rows
  const columns = sql.join(
    [
      'id',
      ...factColumns('namespace').map(({ name }) => name),
      ...Object.keys(everyModelFields),
      ...['presence', 'missing_since', 'last_seen_own', 'created', 'last_updated'],
    ].map((name) => sql.ref(`t.${name}`)),
  )
  const parts = partsOf(rows, {}).map((part) => sql`select ${columns} ${part}`)
  // The depth is computed as in main's table. Groups whose namespace exists only in the branch may
  // still be in main.
  const counted = sql`(
    select r.*, case when r.path = '' then 0 else length(r.path) - length(replace(r.path, '/', '')) + 1 end::bigint as depth,
      coalesce(m.group_count, g.group_count, 0) + coalesce(d.group_count, 0) as group_count,
      coalesce(m.snapshot_count, g.snapshot_count, 0) + coalesce(d.snapshot_count, 0) as snapshot_count
    from (${sql.join(parts, sql` union all `)}) r
    left join namespaces m on ${sameKey('namespace', 'm', 'r')}
    left join lateral (
      select count(*) as group_count, sum(g.snapshot_count)::bigint as snapshot_count from groups g
      where m.id is null and g.server_id = r.server_id and g.datastore_name = r.datastore_name and g.namespace = r.path
    ) g on true
    left join (${differences(facts.branch)}) d on d.server_id = r.server_id and d.datastore_name = r.datastore_name and d.namespace = r.path
  ) t`
  return { model: 'namespace', main: overlayRelation(facts, counted, sql``), replaced: [], others: [] }
}

/**
 * The branch's difference to the counters of main's namespaces: groups that appear or disappear in
 * it, and the snapshots of the groups that it counts.
 */
function differences(branch: number): RawBuilder<unknown> {
  const place = sql`x.server_id, x.datastore_name, x.namespace`
  return sql`
    select ${place}, sum(x.groups)::bigint as group_count, sum(x.snapshots)::bigint as snapshot_count from (
      select ${place}, x.n as groups, 0 as snapshots from (${scopeDifferences(branch, 'groups')}) x
      union all select ${place}, 0, x.n from (${scopeDifferences(branch, 'snapshots')}) x
    ) x group by ${place}`
}
