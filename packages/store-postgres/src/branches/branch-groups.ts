import { registryVersion } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { inScope, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, factColumns, keyColumns, sameKey } from '../tables/columns.ts'
import { isUnencrypted, keyOf, keysOf } from '../tables/keys.ts'
import { verificationOf, verificationsOf } from '../tables/verifications.ts'
import { byPlace, type GroupKey } from '../writes/recount.ts'
import { effective, entryOf } from './branch-columns.ts'
import { readTouches, touchesOneOf, touching } from './read-touches.ts'

const groupKey = keyColumns('group')
/** The fields that say in which group a snapshot lies. */
export const groupFields: ReadonlySet<string> = new Set(groupKey.map(({ field }) => field))
const countedFields: ReadonlyArray<string> = [
  ...['backup_time', 'size_bytes', 'verification_state', 'verification_upid', 'crypt_mode', 'key_fingerprint'],
  'finished',
]
/** The columns of snapshots by which a branch counts groups, besides their key. */
export const countedColumns = factColumns('snapshot').filter(({ field }) => countedFields.includes(field))

/** A counter of a group in a branch. */
interface Counter {
  readonly name: string
  /** Of the snapshots `s` of which `which` holds, and of the backups among them. */
  readonly part: (which: RawBuilder<unknown>, backups: RawBuilder<unknown>) => RawBuilder<unknown>
  /** Of the parts `p`, which are counted separately. */
  readonly whole: RawBuilder<unknown>
}

const number = (name: string, part: Counter['part']): Counter => ({
  name,
  part,
  whole: sql`coalesce(sum(${sql.ref(`p.${name}`)}), 0)::bigint`,
})

const verification = verificationOf(sql`s.verification_state`, sql`s.verification_upid`, sql`t.datastore_name`)

/** The counters of a group; an unfinished snapshot is no backup. A size is kept up to the largest safe integer of JavaScript, as in main. */
const groupCounters: ReadonlyArray<Counter> = [
  number('snapshot_count', (which) => sql`count(*) filter (where ${which})`),
  {
    name: 'first_backup',
    part: (_, backups) => sql`min(s.backup_time) filter (where ${backups})`,
    whole: sql`min(p.first_backup)`,
  },
  {
    name: 'last_backup',
    part: (_, backups) => sql`max(s.backup_time) filter (where ${backups})`,
    whole: sql`max(p.last_backup)`,
  },
  {
    name: 'unfinished_since',
    part: (which) => sql`min(s.backup_time) filter (where ${which} and not s.finished)`,
    whole: sql`min(p.unfinished_since)`,
  },
  {
    name: 'total_size',
    part: (which) => sql`sum(s.size_bytes) filter (where ${which})`,
    whole: sql`case when sum(p.total_size) is not null then least(sum(p.total_size), ${Number.MAX_SAFE_INTEGER}::bigint)::bigint end`,
  },
  {
    name: 'newest_verification',
    part: (_, backups) =>
      sql`(array_agg(s.verification_state order by s.backup_time desc) filter (where ${backups}))[1]`,
    whole: sql`coalesce((array_agg(p.newest_verification order by p.last_backup desc nulls last))[1], '')`,
  },
  number('not_verified_count', (_, backups) => sql`count(*) filter (where ${backups} and s.verification_state = '')`),
  number(
    'verification_failed_count',
    (_, backups) => sql`count(*) filter (where ${backups} and s.verification_state = 'failed')`,
  ),
  number('verification_erased_count', (_, backups) => sql`count(s.verification_erased_at) filter (where ${backups})`),
  {
    name: 'verifications',
    part: (_, backups) => sql`string_agg(${verification}, chr(10)) filter (where ${backups})`,
    whole: verificationsOf(sql`string_agg(p.verifications, chr(10))`),
  },
  {
    name: 'keys',
    part: (_, backups) =>
      sql`string_agg(${keyOf(sql`s.crypt_mode`, sql`s.key_fingerprint`)}, chr(10)) filter (where ${backups})`,
    whole: keysOf(sql`string_agg(p.keys, chr(10))`),
  },
  {
    // Of a part it is the crypt mode of the newest backup.
    name: 'newest_unencrypted',
    part: (_, backups) => sql`(array_agg(s.crypt_mode order by s.backup_time desc) filter (where ${backups}))[1]`,
    whole: sql`coalesce(${isUnencrypted(sql`(array_agg(p.newest_unencrypted order by p.last_backup desc nulls last))[1]`)}
      and replace(string_agg(p.keys, chr(10)), chr(10), '') <> '', false)`,
  },
]

/** The names of the counters that a branch keeps of the groups in which it changes snapshots. */
export const branchCounters: ReadonlyArray<string> = groupCounters.map(({ name }) => name)
const countersOf = (alias: string) => sql.join(branchCounters.map((name) => sql.ref(`${alias}.${name}`)))
const counterNames = sql.join(branchCounters.map((name) => sql.id(name)))
const noCounters = sql.join(branchCounters.map(() => sql`null`))

/** The counters of the snapshots `s` of groups `t`, or of some of them. */
const counted = (which: RawBuilder<unknown> = sql`true`): RawBuilder<unknown> =>
  sql.join(
    groupCounters.map(
      ({ name, part }) => sql`${part(which, sql`${which} and s.finished is not false`)} as ${sql.id(name)}`,
    ),
  )

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
  await sql`
    with t as materialized (
      select distinct ${place.server_id}::bigint as server_id, ${place.datastore_name}::text collate "C" as datastore_name,
        ${place.namespace}::text collate "C" as namespace, x.backup_type, x.backup_id
      from (${touched}) x
    ), mine as materialized (${mainGroups(branch, creates)})${updatedStep}, counts as materialized (
      select ${columnNames(groupKey, 'p')}, ${sql.join(groupCounters.map(({ name, whole }) => sql`${whole} as ${sql.id(name)}`))},
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
      (branch_id, ${columnNames(groupKey)}, ${counterNames}, removed, shadowed, stale)
    select ${branch}::bigint, ${columnNames(groupKey, 'n')}, ${countersOf('n')}, n.removed, n.shadowed, n.stray
    from counts n where n.entries > 0
    on conflict (branch_id, ${columnNames(groupKey)}) do update set (${counterNames}) = (${countersOf('excluded')}),
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
        select s.id, ${columnNames(countedColumns, 's')}, s.verification_erased_at, (select e.op from ${entryOf(branch, 'snapshot', sql`s.id`)}) as op,
          ${creates ? created : sql`false`} as created
        from snapshots s where ${sameKey('group', 's', 't')} offset 0
      ) s
    ) c`
}

/** Every group has a row here, also one of which main has no snapshot. */
const mainPart = sql`
  select ${columnNames(groupKey, 'c')}, ${countersOf('c')},
    null::bigint[] as removed, c.shadowed, false as stray, c.entries from mine c`

const createdPart = (branch: number): RawBuilder<unknown> => sql`
  select ${columnNames(groupKey, 't')}, ${counted()}, null, null, false, count(*)
  from t cross join lateral (
    select ${columnNames(countedColumns, 'e')}, null::timestamptz as verification_erased_at from branch_snapshots e
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
      select e.id, m.id is null as removed, m.verification_erased_at, ${sql.join([...home, ...now])}
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
  select ${columnNames(groupKey, 't')}, ${noCounters}, null, null, true, count(*)
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
