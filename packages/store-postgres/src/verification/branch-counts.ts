import { openBranchStatuses } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { effective, entryOf } from '../branches/branch-columns.ts'
import { branchCounters, countedColumns, groupFields, recountBranchGroups } from '../branches/branch-groups.ts'
import { literals } from '../database/statement-values.ts'
import { lockScope } from '../scopes/scope-locks.ts'
import { inScope, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import { isUnencrypted, keyOf, keysOf } from '../tables/keys.ts'
import { verificationOf, verificationsOf } from '../tables/verifications.ts'
import { type Check, object, type Piece, placeOfUnit, type ReadPieces, type Unit } from './check.ts'

const groupKey = keyColumns('group')

/** A namespace in which an open branch changes groups. */
interface BranchPlace {
  readonly branch: number
  readonly server_id: number
  readonly datastore_name: string
  readonly namespace: string
}

/** Namespaces of one page. */
const placesAtOnce = 500

/** The namespaces in which open branches change snapshots or have counted groups, with what is compared of each. */
export const byBranchPlace =
  (compare: (branch: number, place: ScopePlace) => RawBuilder<unknown>): ReadPieces =>
  async (db, _, after) => {
    const from = (after ?? { branch: 0, server_id: 0, datastore_name: '', namespace: '' }) as BranchPlace // border: an earlier call returned it
    const place = (alias: string) => sql.join(placeNames.map((name) => sql.ref(`${alias}.${name}`)))
    const { rows } = await sql<BranchPlace>`
      select b.id as branch, ${place('p')} from branches b cross join lateral (
        select ${place('e')} from branch_snapshots e where e.branch_id = b.id
        union select ${place('m')} from branch_snapshots e join snapshots m on m.id = e.id where e.branch_id = b.id and e.op <> 'create'
        union select ${place('c')} from branch_group_counts c where c.branch_id = b.id
        union select ${place('d')} from branch_group_digests d where d.branch_id = b.id
      ) p
      where b.id >= ${from.branch}::bigint and b.status in (${literals(openBranchStatuses)})
        and (b.id, ${place('p')}) > (${from.branch}::bigint, ${from.server_id}::bigint, ${from.datastore_name}, ${from.namespace})
      order by b.id, ${place('p')} limit ${placesAtOnce}`.execute(db)
    const pieces = rows.map(({ branch, ...of }): Piece => {
      const title = ['branch', branch, of.server_id, of.datastore_name, of.namespace].join('/')
      return { title, compared: compare(branch, placeOf('snapshots', of)) }
    })
    return { pieces, next: rows.length < placesAtOnce ? null : rows.at(-1) }
  }

const placeNames = ['server_id', 'datastore_name', 'namespace'] as const

/** The unit of a branch in a namespace: a constant of its piece. */
const branchUnit = (
  branch: number,
  { resource, server_id, datastore_name, namespace }: ScopePlace,
): RawBuilder<unknown> =>
  object({
    branch: sql`${branch}::bigint`,
    resource: sql`${resource}::text`,
    server_id: sql`${server_id}::bigint`,
    datastore_name: sql`${datastore_name}::text`,
    namespace: sql`${namespace}::text`,
  })

const branchTitle = (branch: number, alias: string): RawBuilder<unknown> =>
  sql`concat_ws('/', 'branch', ${branch}::bigint, ${sql.ref(`${alias}.server_id`)}, ${sql.ref(`${alias}.datastore_name`)}, nullif(${sql.ref(`${alias}.namespace`)}, ''),
    ${sql.ref(`${alias}.backup_type`)}, ${sql.ref(`${alias}.backup_id`)})`

const shown = countedColumns

/**
 * `t`, the groups of a namespace in which a branch changes a snapshot or has counted them; `updates`,
 * the updates that may concern them, with the group that each was in when the branch saw it last as
 * `home`; and `seen`, the snapshots of these groups as the branch shows them. `own` tells the rows for
 * which it counts a group, `lost` those that main has no more, `hidden` those with the key of a
 * creation.
 */
function seenSnapshots(branch: number, place: ScopePlace): RawBuilder<unknown> {
  const ofBranch = sql`e.branch_id = ${branch}::bigint`
  const created = sql`exists (select from branch_snapshots n where n.branch_id = ${branch}::bigint and n.op = 'create' and ${sameKey('snapshot', 'n', 's')})`
  const changed = sql`exists (select from ${entryOf(branch, 'snapshot', sql`s.id`)})`
  const now = [...groupKey, ...shown].map((column) => sql`${effective(column)} as ${sql.id(column.name)}`)
  const home = groupKey.map(({ name }) => sql`${sql.ref(`e.${name}`)} as ${sql.id(`home_${name}`)}`)
  const homeKey = sql.join(groupKey.map(({ name }) => sql.ref(`u.home_${name}`)))
  const row = (alias: string) => sql`${columnNames(groupKey, alias)}, ${columnNames(shown, alias)}`
  const nothing = sql.join(shown.map(({ type }) => sql`null::${sql.raw(type)}`))
  const changedInMain = sql`from branch_snapshots e join snapshots m on m.id = e.id where ${ofBranch} and e.op <> 'create' and ${inScope(place, 'm')}`
  return sql`
    updates as materialized (
      select e.id, m.id is null as lost, e.touched && ${[...groupFields]}::text[] as moves, m.verification_erased_at as erased, ${sql.join([...home, ...now])}
      from (
        select e.id from branch_snapshots e where ${ofBranch} and e.op = 'update' and (${inScope(place, 'e')} or e.touched && ${[...groupFields]}::text[])
        union select e.id ${changedInMain} and e.op = 'update'
      ) i cross join lateral ${entryOf(branch, 'snapshot', sql`i.id`)} left join snapshots m on m.id = e.id
    ), t as materialized (
      select ${columnNames(groupKey, 'c')} from branch_group_counts c where c.branch_id = ${branch}::bigint and ${inScope(place, 'c')}
      union select ${columnNames(groupKey, 'e')} from branch_snapshots e where ${ofBranch} and ${inScope(place, 'e')}
      union select ${columnNames(groupKey, 'm')} ${changedInMain}
      union select ${columnNames(groupKey, 'u')} from updates u where ${inScope(place, 'u')}
    ), seen as materialized (
      select ${row('s')}, s.verification_erased_at as erased, not (s.is_changed or s.is_created) as is_shown, s.is_changed or s.is_created as own, null::bigint as lost,
        case when s.is_created and not s.is_changed then s.id end as hidden
      from t cross join lateral (
        select s.*, ${changed} as is_changed, ${created} as is_created from snapshots s where ${sameKey('group', 's', 't')} offset 0
      ) s
      union all
      select ${row('e')}, null, true, true, null, null from branch_snapshots e where ${ofBranch} and e.op = 'create' and ${inScope(place, 'e')}
      union all
      select ${row('u')}, u.erased, true, true, case when u.lost then u.id end, null from updates u where ${inScope(place, 'u')}
      union all
      select ${homeKey}, ${nothing}, null, false, true, null, null from updates u
      where u.home_server_id = ${place.server_id}::bigint and u.home_datastore_name = ${place.datastore_name} and u.home_namespace = ${place.namespace}
        and (${homeKey}) is distinct from (${columnNames(groupKey, 'u')})
    )`
}

const visible = sql`s.is_shown`
const backup = sql`s.is_shown and s.finished is not false`
const verification = verificationOf(sql`s.verification_state`, sql`s.verification_upid`, sql`s.datastore_name`)

/** The counters of each group with a changed snapshot, from the rows that the branch shows. */
const recounted = sql`
  select ${columnNames(groupKey, 's')}, true as counted, count(*) filter (where ${visible}) as snapshot_count,
    min(s.backup_time) filter (where ${backup}) as first_backup, max(s.backup_time) filter (where ${backup}) as last_backup,
    min(s.backup_time) filter (where ${visible} and not s.finished) as unfinished_since,
    case when count(s.size_bytes) filter (where ${visible}) > 0
      then least(sum(s.size_bytes) filter (where ${visible}), ${Number.MAX_SAFE_INTEGER}::bigint) end as total_size,
    coalesce((array_agg(s.verification_state order by s.backup_time desc) filter (where ${backup}))[1], '') as newest_verification,
    count(*) filter (where ${backup} and s.verification_state = '') as not_verified_count,
    count(*) filter (where ${backup} and s.verification_state = 'failed') as verification_failed_count,
    count(s.erased) filter (where ${backup}) as verification_erased_count,
    ${verificationsOf(sql`string_agg(${verification}, chr(10)) filter (where ${backup})`)} as verifications,
    ${keysOf(sql`string_agg(${keyOf(sql`s.crypt_mode`, sql`s.key_fingerprint`)}, chr(10)) filter (where ${backup})`)} as keys,
    coalesce(${isUnencrypted(sql`(array_agg(s.crypt_mode order by s.backup_time desc) filter (where ${backup}))[1]`)}
      and bool_or(s.crypt_mode in ('encrypt', 'mixed')) filter (where ${backup}), false) as newest_unencrypted,
    coalesce(array_agg(s.lost order by s.lost) filter (where s.lost is not null), '{}') as removed,
    coalesce(array_agg(s.hidden order by s.hidden) filter (where s.hidden is not null), '{}') as shadowed
  from seen s group by ${columnNames(groupKey, 's')} having bool_or(s.own)`

const counters = [...branchCounters, 'removed', 'shadowed']

/**
 * The groups that a branch has counted in a namespace, or should have. A stale one is counted before
 * it is read, and so are then all groups between which the branch moves snapshots.
 */
function branchGroups(branch: number, place: ScopePlace): RawBuilder<unknown> {
  const ofBranch = sql`c.branch_id = ${branch}::bigint`
  const members = (alias: string) =>
    object({
      counted: sql`${sql.ref(`${alias}.counted`)} is not null`,
      ...Object.fromEntries(counters.map((name) => [name, sql`to_jsonb(${sql.ref(`${alias}.${name}`)})`])),
    })
  const either = sql.join(
    groupKey.map(({ name }) => sql`coalesce(c.${sql.id(name)}, r.${sql.id(name)}) as ${sql.id(name)}`),
  )
  const moved = ['', 'home_'].map(
    (prefix) => sql`
      select ${sql.join(groupKey.map(({ name }) => sql.ref(`u.${prefix}${name}`)))} from updates u where u.moves`,
  )
  return sql`
    with ${seenSnapshots(branch, place)}, stored as (
      select c.*, true as counted from branch_group_counts c where ${ofBranch} and ${inScope(place, 'c')}
    ), pairs as (
      select ${either}, c.stale, ${members('c')} as stored, ${members('r')} as recount
      from stored c full join (${recounted}) r on ${sameKey('group', 'c', 'r')}
    )
    select ${branch}::bigint as id, ${branchTitle(branch, 'p')} as title, ${branchUnit(branch, place)} as unit, p.stored, p.recount
    from pairs p where p.stale is not true and not (
      exists (select from branch_group_counts c where ${ofBranch} and c.stale)
      and (p.stale is null or (${columnNames(groupKey, 'p')}) in (${sql.join(moved, sql` union `)}))
    )`
}

const branchCounts: Check = {
  name: 'branch_group_counts.counters',
  table: 'branch_group_counts',
  rule: 'An open branch has counted each group in which it changes snapshots as it shows them, or has marked it as stale.',
  pieces: byBranchPlace(branchGroups),
  repair: {
    lock: lockBranchPlace,
    write: async (db, { branch = 0, ...unit }, rows) => {
      const place = placeOfUnit(unit)
      const broken = rows.map(({ title }) => title)
      const groups = sql`
        select ${columnNames(groupKey, 'c')} from branch_group_counts c where c.branch_id = ${branch}::bigint
        union select ${columnNames(groupKey, 'e')} from branch_snapshots e where e.branch_id = ${branch}::bigint
        union select ${columnNames(groupKey, 'm')} from branch_snapshots e join snapshots m on m.id = e.id
          where e.branch_id = ${branch}::bigint and e.op <> 'create'`
      const touched = sql`
        select g.backup_type, g.backup_id from (${groups}) g where ${inScope(place, 'g')} and ${branchTitle(branch, 'g')} = any(${broken}::text[])`
      await recountBranchGroups(db, branch, place, touched)
    },
  },
}

/** The scope, then the branch, as a staging and an edit in the branch do. */
async function lockBranchPlace(db: Parameters<Check['pieces']>[0], { branch = 0, ...place }: Unit): Promise<void> {
  await lockScope(placeOfUnit(place)).execute(db)
  await sql`select from branches where id = ${branch}::bigint for update`.execute(db)
}

const entriesOf = (table: string, where = sql``): RawBuilder<unknown> =>
  sql`(select count(*) from ${sql.table(table)} e where e.branch_id = d.branch_id and ${sameKey('group', 'e', 'd')}${where})`

const branchDigests: Check = {
  name: 'branch_group_digests.counts',
  table: 'branch_group_digests',
  rule: 'The counts that an open branch keeps with the digest of a group are those of its changes to the group.',
  pieces: byBranchPlace(
    (branch, place) => sql`
      select ${branch}::bigint as id, ${branchTitle(branch, 'd')} as title, ${branchUnit(branch, place)} as unit,
        ${object(Object.fromEntries(['created', 'updated', 'deleted', 'changes'].map((name) => [name, sql.ref(`d.${name}`)])))} as stored,
        ${object({
          created: entriesOf('branch_snapshots', sql` and e.op = 'create'`),
          updated: entriesOf('branch_snapshots', sql` and e.op = 'update'`),
          deleted: entriesOf('branch_snapshots', sql` and e.op = 'delete'`),
          changes: sql`${entriesOf('branch_snapshots')} + ${entriesOf('branch_groups')}`,
        })} as recount
      from branch_group_digests d where d.branch_id = ${branch}::bigint and ${inScope(place, 'd')}`,
  ),
  // Without its digest the next run reads the group and stages it again.
  repair: {
    lock: lockBranchPlace,
    write: async (db, { branch = 0, ...place }, rows) => {
      const broken = rows.map(({ title }) => title)
      await sql`
        delete from branch_group_digests d where d.branch_id = ${branch}::bigint and ${inScope(placeOfUnit(place), 'd')}
          and ${branchTitle(branch, 'd')} = any(${broken}::text[])`.execute(db)
    },
  },
}

/** The checks of what open branches count. */
export const branchCountChecks: ReadonlyArray<Check> = [branchCounts, branchDigests]
