import { registryVersion } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { inScope, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, factColumns, keyColumns, sameKey } from '../tables/columns.ts'
import { byPlace, type GroupKey } from '../writes/recount.ts'
import { effective, entryOf } from './branch-columns.ts'
import { readTouches, touchesOneOf, touching } from './read-touches.ts'

const groupKey = keyColumns('group')
/** The fields that say in which group a snapshot lies. */
export const groupFields: ReadonlySet<string> = new Set(groupKey.map(({ field }) => field))
const countedColumns = factColumns('snapshot').filter(({ field }) =>
  ['backup_time', 'size_bytes', 'verification_state', 'finished'].includes(field),
)

/**
 * The counters of snapshots, the rows `s`, or of some of them; an unfinished snapshot is no backup.
 * The parts of a group are counted separately and then added up.
 */
const counted = (which: RawBuilder<unknown> = sql`true`): RawBuilder<unknown> => sql`
  count(*) filter (where ${which}) as snapshots, min(s.backup_time) filter (where ${which} and s.finished is not false) as first_backup,
  max(s.backup_time) filter (where ${which} and s.finished is not false) as last_backup,
  min(s.backup_time) filter (where ${which} and not s.finished) as unfinished_since, sum(s.size_bytes) filter (where ${which}) as total_size,
  (array_agg(s.verification_state order by s.backup_time desc) filter (where ${which} and s.finished is not false))[1] as newest_verification`

/**
 * Counts the groups of a namespace whose keys the query `touched` selects, as the branch shows them
 * over main as it is now; a group without changed snapshots keeps main's counters. Hold the scope's
 * lock, or a concurrent write of snapshots is missed.
 */
export async function recountBranchGroups(
  db: Kysely<Tables>,
  branch: number,
  place: ScopePlace,
  touched: RawBuilder<unknown>,
): Promise<void> {
  const { creates, updates } = await readTouches(db, branch, 'snapshot')
  const updated = updates.length > 0
  const parts = [mainPart, ...(creates ? [createdPart(branch)] : []), ...(updated ? [updatedPart, strayPart] : [])]
  const updatedStep = updated
    ? sql`, u as materialized (${updatedRows(branch, touching(updates, groupFields))})`
    : sql``
  // A size is kept up to the largest safe integer of JavaScript, as in main.
  await sql`
    with t as materialized (
      select distinct ${place.server_id}::bigint as server_id, ${place.datastore_name}::text collate "C" as datastore_name,
        ${place.namespace}::text collate "C" as namespace, x.backup_type, x.backup_id
      from (${touched}) x
    ), mine as materialized (${mainGroups(branch, creates)})${updatedStep}, counts as materialized (
      select ${columnNames(groupKey, 'p')}, sum(p.snapshots)::bigint as snapshot_count, min(p.first_backup) as first_backup, max(p.last_backup) as last_backup,
        min(p.unfinished_since) as unfinished_since,
        case when sum(p.total_size) is not null then least(sum(p.total_size), ${Number.MAX_SAFE_INTEGER}::bigint)::bigint end as total_size,
        coalesce((array_agg(p.newest_verification order by p.last_backup desc nulls last))[1], '') as newest_verification,
        coalesce(max(p.removed), '{}') as removed, coalesce(max(p.shadowed), '{}') as shadowed, bool_or(p.stray) as stray, sum(p.entries) as entries
      from (${sql.join(parts, sql` union all `)}) p group by ${columnNames(groupKey, 'p')}
    ), dropped as (
      delete from branch_group_counts d where d.ctid = any(array(
        select c.ctid from counts n cross join lateral (
          select c.ctid from branch_group_counts c where c.branch_id = ${branch}::bigint and ${sameKey('group', 'c', 'n')} offset 0
        ) c where n.entries = 0
      ))
    )
    insert into branch_group_counts
      (branch_id, ${columnNames(groupKey)}, snapshot_count, first_backup, last_backup, unfinished_since, total_size, newest_verification, removed, shadowed, stale)
    select ${branch}::bigint, ${columnNames(groupKey, 'n')}, n.snapshot_count, n.first_backup, n.last_backup, n.unfinished_since, n.total_size, n.newest_verification, n.removed, n.shadowed, n.stray
    from counts n where n.entries > 0
    on conflict (branch_id, ${columnNames(groupKey)}) do update set snapshot_count = excluded.snapshot_count, first_backup = excluded.first_backup,
      last_backup = excluded.last_backup, unfinished_since = excluded.unfinished_since, total_size = excluded.total_size, newest_verification = excluded.newest_verification,
      removed = excluded.removed, shadowed = excluded.shadowed, stale = excluded.stale`.execute(db)
  await makeLacking(db, branch, place, touched)
}

/**
 * Makes the groups that snapshots of a person's branch lie in and that neither main nor the branch
 * has: a new one, or one that main has lost since. A run stages the groups of its source itself.
 */
async function makeLacking(
  db: Kysely<Tables>,
  branch: number,
  place: ScopePlace,
  touched: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    insert into branch_groups (branch_id, id, op, ${columnNames(groupKey)}, owner, comment, presence, registry_version)
    select c.branch_id, nextval(pg_get_serial_sequence('groups', 'id')), 'create', ${columnNames(groupKey, 'c')}, '', '', 'manual', ${registryVersion}::bigint
    from branch_group_counts c join branches b on b.id = c.branch_id and b.kind <> 'sync'
    where c.branch_id = ${branch}::bigint and ${inScope(place)} and c.snapshot_count > 0
      and (c.backup_type, c.backup_id) in (select x.backup_type, x.backup_id from (${touched}) x)
      and not exists (select from groups g where ${sameKey('group', 'g', 'c')})
      and not exists (select from branch_groups e where e.branch_id = c.branch_id and e.op = 'create' and ${sameKey('group', 'e', 'c')})`.execute(
    db,
  )
}

/**
 * Main's snapshots of each group, counted without those that the branch changes, which are counted
 * as entries; `shadowed` has those whose key a creation has, `updated` those that the branch updates.
 * Each snapshot is looked up once in the branch, and a lateral reads and counts each group's own
 * range of the key, which needs no sorting.
 */
function mainGroups(branch: number, creates: boolean): RawBuilder<unknown> {
  const created = sql`s.backup_time = any(array(
    select e.backup_time from branch_snapshots e where e.branch_id = ${branch}::bigint and e.op = 'create' and ${sameKey('group', 'e', 't')}
  ))`
  const changed = sql`(s.op is not null or s.created)`
  return sql`
    select t.*, c.* from t cross join lateral (
      select ${counted(sql`not ${changed}`)}, array_agg(s.id order by s.id) filter (where s.created and s.op is null) as shadowed,
        array_agg(s.id) filter (where s.op = 'update') as updated, count(*) filter (where ${changed}) as entries
      from (
        select s.id, ${columnNames(countedColumns, 's')}, (select e.op from ${entryOf(branch, 'snapshot', sql`s.id`)}) as op,
          ${creates ? created : sql`false`} as created
        from snapshots s where ${sameKey('group', 's', 't')} offset 0
      ) s
    ) c`
}

/** Every group has a row here, also one of which main has no snapshot. */
const mainPart = sql`
  select ${columnNames(groupKey, 'c')}, c.snapshots, c.first_backup, c.last_backup, c.unfinished_since, c.total_size, c.newest_verification,
    null::bigint[] as removed, c.shadowed, false as stray, c.entries from mine c`

const createdPart = (branch: number): RawBuilder<unknown> => sql`
  select ${columnNames(groupKey, 't')}, ${counted()}, null, null, false, count(*)
  from t cross join lateral (
    select ${columnNames(countedColumns, 'e')} from branch_snapshots e
    where e.branch_id = ${branch}::bigint and e.op = 'create' and ${sameKey('group', 'e', 't')} offset 0
  ) s
  group by ${columnNames(groupKey, 't')}`

/**
 * The updates that may concern the groups: of rows that the branch last saw in them, of rows that
 * main has in them, and of rows that change groups; each group is looked up by itself, because the
 * planner cannot know how few it has. A stray is in another group than the branch recorded because
 * main moved it, so every reader counts its old and new group.
 */
function updatedRows(branch: number, moves: ReadonlyArray<ReadonlyArray<string>>): RawBuilder<unknown> {
  const update = sql`e.branch_id = ${branch}::bigint and e.op = 'update'`
  const home = groupKey.map(({ name }) => sql`${sql.ref(`e.${name}`)} as ${sql.id(`home_${name}`)}`)
  const now = [...groupKey, ...countedColumns].map((column) => sql`${effective(column)} as ${sql.id(column.name)}`)
  return sql`
    select r.*, ${isStray} as stray from (
      select e.id, m.id is null as removed, ${sql.join([...home, ...now])}
      from (
        select e.id from t cross join lateral (select e.id from branch_snapshots e where ${update} and ${sameKey('group', 'e', 't')} offset 0) e
        union select unnest(c.updated) from mine c
        union select e.id from branch_snapshots e where ${update} and ${touchesOneOf(moves)}
      ) i cross join lateral ${entryOf(branch, 'snapshot', sql`i.id`)} left join snapshots m on m.id = e.id
      where e.op = 'update'
    ) r`
}

const isStray = sql`(${columnNames(groupKey, 'r')}) is distinct from (${sql.join(groupKey.map(({ name }) => sql.ref(`r.home_${name}`)))})`

const updatedPart = sql`
  select ${columnNames(groupKey, 't')}, ${counted()}, array_agg(s.id order by s.id) filter (where s.removed), null, bool_or(s.stray), count(*)
  from t join u s on ${sameKey('group', 's', 't')} group by ${columnNames(groupKey, 't')}`

/** The groups that strays are missing from. */
const strayPart = sql`
  select ${columnNames(groupKey, 't')}, 0, null, null, null, null, null, null, null, true, count(*)
  from t join u s on s.stray and ${sql.join(
    groupKey.map(({ name }) => sql`${sql.ref(`s.home_${name}`)} = ${sql.ref(`t.${name}`)}`),
    sql` and `,
  )} group by ${columnNames(groupKey, 't')}`

/**
 * Brings the groups of a branch in step with snapshots that a user has written there: recounts
 * them, which makes those that neither main nor the branch has, and takes out again those that the
 * branch has made and no snapshot of it needs. Hold the locks of their scopes.
 */
export async function recountOverlayGroups(
  db: Kysely<Tables>,
  branch: number,
  keys: ReadonlyArray<GroupKey>,
): Promise<void> {
  for (const [place, groups] of byPlace(keys)) {
    const types = groups.map((key) => key.backup_type)
    const ids = groups.map((key) => key.backup_id)
    const touched = sql`select * from unnest(${types}::text[], ${ids}::text[]) as k (backup_type, backup_id)`
    const ofPlace = sql`e.branch_id = ${branch}::bigint and ${inScope(place)}`
    await recountBranchGroups(db, branch, place, touched)
    const filled = sql`exists (
      select from branch_group_counts c where c.branch_id = ${branch}::bigint and c.server_id = ${place.server_id}::bigint
        and c.datastore_name = ${place.datastore_name} and c.namespace = ${place.namespace}
        and c.backup_type = k.backup_type and c.backup_id = k.backup_id and c.snapshot_count > 0
    )`
    const sameGroup = (alias: string) =>
      sql`${sql.ref(`${alias}.backup_type`)} = k.backup_type and ${sql.ref(`${alias}.backup_id`)} = k.backup_id`
    // A group that the branch deletes is needed again.
    await sql`
      delete from branch_groups e using (${touched}) k
      where ${ofPlace} and ${sameGroup('e')} and ((e.op = 'delete' and ${filled}) or (e.op = 'create' and e.presence = 'manual' and not ${filled}))`.execute(
      db,
    )
  }
}
