import type { EditValues } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, created } from '../change-log/append-changes.ts'
import { jsonb, storable } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import type { Places } from '../scopes/scope-locks.ts'
import { inScope, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { sameKey } from '../tables/columns.ts'
import { isUnencrypted, keyOf, keysOf } from '../tables/keys.ts'
import { storedVariants, variantColumns } from '../tables/variants.ts'
import { verificationOf, verificationsOf } from '../tables/verifications.ts'
import { groupsOfKeys, judgeGroups } from './judge-groups.ts'
import { recountScopes } from './recount-scopes.ts'
import { deleteRows } from './write-rows.ts'
import type { MainWatch, Writer } from './writer.ts'

/** The counters of a group. */
export const groupCounters = [
  'snapshot_count',
  'manual_count',
  'missing_count',
  'first_backup',
  'last_backup',
  'unfinished_since',
  'total_size',
  'newest_verification',
  'not_verified_count',
  'verification_failed_count',
  'verification_erased_count',
  'verifications',
  'keys',
  'newest_unencrypted',
  'variants',
  'texts',
] as const
const counters = sql.join(groupCounters.map((name) => sql.id(name)))
const countersOf = (alias: string) => sql.join(groupCounters.map((name) => sql.ref(`${alias}.${name}`)))

/** The columns by which the snapshots of a group are counted apart, before the counts are added up. */
const parts = sql.join([...variantColumns, 'comment'].map((name) => sql.ref(`s.${name}`)))

/** The counts of snapshots, the rows `s`, that are alike in `parts`. */
const ofPart = sql`${parts}, count(*) as snapshots, count(*) filter (where s.presence = 'manual') as manual,
  count(*) filter (where s.presence = 'missing') as missing, min(s.backup_time) as first, max(s.backup_time) as last,
  sum(s.size_bytes) as size, count(s.size_bytes) as sized, count(s.verification_erased_at) as erased,
  string_agg(${verificationOf(sql`s.verification_state`, sql`s.verification_upid`, sql`s.datastore_name`)}, chr(10)) as verifications,
  string_agg(${keyOf(sql`s.crypt_mode`, sql`s.key_fingerprint`)}, chr(10)) as keys`

/**
 * A group's counters out of the parts `x` of its snapshots; its size is null when that of none of
 * them is known (`least` alone would pass over the null). An unfinished snapshot is no backup.
 */
const counted = sql`coalesce(sum(x.snapshots), 0)::bigint as snapshot_count, coalesce(sum(x.manual), 0)::bigint as manual_count,
  coalesce(sum(x.missing), 0)::bigint as missing_count, min(x.first) filter (where x.finished) as first_backup,
  max(x.last) filter (where x.finished) as last_backup, min(x.first) filter (where not x.finished) as unfinished_since,
  case when sum(x.sized) > 0 then least(sum(x.size), ${Number.MAX_SAFE_INTEGER}::bigint)::bigint end as total_size,
  coalesce((array_agg(x.verification_state order by x.last desc) filter (where x.finished))[1], '') as newest_verification,
  coalesce(sum(x.snapshots) filter (where x.finished and x.verification_state = ''), 0)::bigint as not_verified_count,
  coalesce(sum(x.snapshots) filter (where x.finished and x.verification_state = 'failed'), 0)::bigint as verification_failed_count,
  coalesce(sum(x.erased) filter (where x.finished), 0)::bigint as verification_erased_count,
  ${verificationsOf(sql`string_agg(x.verifications, chr(10)) filter (where x.finished)`)} as verifications,
  ${keysOf(sql`string_agg(x.keys, chr(10)) filter (where x.finished)`)} as keys,
  coalesce(${isUnencrypted(sql`(array_agg(x.crypt_mode order by x.last desc) filter (where x.finished))[1]`)}
    and bool_or(x.crypt_mode in ('encrypt', 'mixed')) filter (where x.finished), false) as newest_unencrypted,
  ${storedVariants('x', 'by comment')} as variants`

/**
 * The texts that a search finds the snapshots of a group by, without case: its backup id, and each
 * owner and comment of the parts `x` on a line of its own. Nothing for a group without snapshots.
 */
const foldedTexts = (backupId: RawBuilder<unknown>): RawBuilder<unknown> => sql`case when count(*) = 0 then '' else
  netbox_pbs_folded(${backupId}) || ${sql.join(
    ['owner', 'comment'].map(
      (name) => sql`string_agg(distinct chr(10) || netbox_pbs_folded(${sql.ref(`x.${name}`)}), '')`,
    ),
    sql` || `,
  )} end as texts`

/**
 * The counters of the group whose key the row of an alias has, out of its snapshots: a query for a
 * lateral join, so that each group reads its own range of the key under every plan.
 */
export const countedSnapshots = (alias: string): RawBuilder<unknown> => sql`
  select ${counted}, ${foldedTexts(sql.ref(`${alias}.backup_id`))} from (select ${ofPart} from snapshots s where ${sameKey('group', 's', alias)} group by ${parts}) x`

/**
 * Counts all groups of a namespace in one pass, makes those that its snapshots lack, and returns
 * their number; where a landing has touched all groups, this takes a fifth of the time of
 * `recountGroups`. Hold the scope's lock; the watch is informed.
 */
export async function countNewGroups(db: Kysely<Tables>, place: ScopePlace, watch: MainWatch): Promise<number> {
  const key = sql`server_id, datastore_name, namespace, backup_type, backup_id`
  const { rows } = await sql<{ made: number }>`
    with settled as (
      insert into groups as g (${key}, presence, ${counters})
      select ${key}, 'listed', ${counted}, ${foldedTexts(sql`backup_id`)} from (select ${key}, ${ofPart} from snapshots s where ${inScope(place)} group by ${key}, ${parts}) x
      group by ${key}
      on conflict (${key}) do update set (${counters}) = (${countersOf('excluded')})
      returning g.xmax = 0 as is_new
    )
    select count(*) filter (where is_new) as made from settled`.execute(db)
  await watch.namespaceChanged(db, place)
  return rows[0]?.made ?? 0
}

/** Whether a namespace has no snapshots, by the counters of its groups. */
export async function hasNoSnapshots(db: Kysely<Tables>, place: ScopePlace): Promise<boolean> {
  const { rows } = await sql`select from groups where ${inScope(place)} and snapshot_count > 0 limit 1`.execute(db)
  return rows.length === 0
}

/**
 * Recomputes the counters of the groups whose key columns `touched` selects; hold the locks of
 * their scopes, because a concurrent writer of snapshots would be missed. Only groups with wrong
 * counters are written, or with `discard` all, whose digests it clears. `stale` selects those of
 * them whose counters may be wrong; the watch is informed of all.
 */
export async function recountGroups(
  db: Kysely<Tables>,
  touched: RawBuilder<unknown>,
  {
    watch,
    discard = false,
    stale = touched,
  }: { readonly watch: MainWatch; readonly discard?: boolean; readonly stale?: RawBuilder<unknown> },
): Promise<void> {
  const forgotten = discard ? sql`, digest = null, digest_cleared_by = pg_current_xact_id()` : sql``
  await sql`
    update groups g set (${counters}) = (${countersOf('c')})${forgotten}
    from (select distinct * from (${stale}) x) t cross join lateral (${countedSnapshots('t')}) c
    where ${sameKey('group', 'g', 't')} and (${discard} or (${countersOf('g')}) is distinct from (${countersOf('c')}))`.execute(
    db,
  )
  await watch.groupsChanged(db, touched)
}

/**
 * Removes the groups that neither the source lists nor a snapshot needs, among those that a
 * condition on the alias `m` finds; an absent one stays until a second list lacks it. `held`: the
 * deletions of the list wait, so the groups that it lacks stay as missing.
 */
export async function pruneGroups(
  db: Kysely<Tables>,
  among: RawBuilder<unknown>,
  { writer, held = false }: { readonly writer: Writer; readonly held?: boolean },
): Promise<void> {
  const unlisted = held ? sql`m.presence = 'manual'` : sql`m.presence in ('manual', 'missing')`
  await deleteRows(db, { model: 'group', where: sql`${among} and ${unlisted} and m.snapshot_count = 0`, writer })
}

/**
 * The condition that finds, under the alias `m`, the groups whose keys a query selects. A lateral
 * looks each up by its key under every plan.
 */
export const amongGroups = (touched: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`m.id = any(array(
    select g.id from (${touched}) t cross join lateral (select g.id from groups g where ${sameKey('group', 'g', 't')} offset 0) g
  ))`

/** Recomputes the counters of the namespaces that the condition, on the alias `m`, finds, from their groups. */
export async function recountNamespaces(db: Kysely<Tables>, which: RawBuilder<unknown>): Promise<void> {
  await sql`
    update namespaces n set group_count = c.group_count, snapshot_count = c.snapshot_count
    from namespaces m
    cross join lateral (
      select count(*) as group_count, coalesce(sum(g.snapshot_count), 0)::bigint as snapshot_count from groups g
      where g.server_id = m.server_id and g.datastore_name = m.datastore_name and g.namespace = m.path
    ) c
    where ${which} and n.server_id = m.server_id and n.datastore_name = m.datastore_name and n.path = m.path
      and (n.group_count, n.snapshot_count) is distinct from (c.group_count, c.snapshot_count)`.execute(db)
}

/** The key of a snapshot's group. */
export interface GroupKey {
  readonly server_id: number
  readonly datastore_name: string
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
}

/** The group of a snapshot, as its key will be stored. */
export function groupKeyOf(values: EditValues): GroupKey {
  const text = (field: string) => String(storable(values[field] ?? ''))
  return {
    server_id: Number(values['server']),
    datastore_name: text('datastore_name'),
    namespace: text('namespace'),
    backup_type: text('backup_type'),
    backup_id: text('backup_id'),
  }
}

/** The groups of each namespace, each once. */
export function byPlace(keys: ReadonlyArray<GroupKey>): ReadonlyArray<readonly [ScopePlace, ReadonlyArray<GroupKey>]> {
  const places = new Map<string, Map<string, GroupKey>>()
  for (const key of keys) {
    const name = JSON.stringify([key.server_id, key.datastore_name, key.namespace])
    const groups = places.get(name) ?? new Map<string, GroupKey>()
    places.set(name, groups.set(JSON.stringify([key.backup_type, key.backup_id]), key))
  }
  return [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, of]) => {
      const groups = [...of.values()]
      return groups[0] === undefined ? [] : [[placeOf('snapshots', groups[0]), groups] as const]
    })
}

/** The namespaces of groups, as places to lock before their snapshots are written. */
export const placesOfGroups = (keys: ReadonlyArray<GroupKey>): Places => ({
  scopes: byPlace(keys).map(([place]) => place),
})

/**
 * Reconciles groups with snapshots that a user has written: creates missing groups, clears their
 * digests, recounts them, removes those that are no longer needed, and judges the others.
 */
export async function recountTouchedGroups(
  db: Kysely<Tables>,
  keys: ReadonlyArray<GroupKey>,
  writer: Writer,
): Promise<void> {
  if (keys.length === 0) return
  const { origin, watch } = writer
  const touched = groupRows(keys)
  // Records the transaction that clears a digest: a landing whose source was read before must not
  // store a new one.
  await sql`
    with settled as (
      insert into groups as g (server_id, datastore_name, namespace, backup_type, backup_id, presence, digest_cleared_by)
      select k.*, 'manual', pg_current_xact_id() from (${touched}) k
      on conflict (server_id, datastore_name, namespace, backup_type, backup_id)
      do update set digest = null, digest_cleared_by = excluded.digest_cleared_by
      returning g.*, g.xmax = 0 as is_new
    ), made as (
      select ${created('group', 's')} from settled s where s.is_new
    ) ${appendChanges('made', 'create', 'group', { origin })}`.execute(db)
  await recountGroups(db, touched, { watch })
  await pruneGroups(db, amongGroups(touched), { writer })
  await recountScopes(db, touched)
  await judgeGroups(db, groupsOfKeys(touched))
  if (keys.length > 1) await watch.snapshotsMoved(db, touched)
}

const groupRows = (keys: ReadonlyArray<GroupKey>): RawBuilder<unknown> => sql`
  select distinct k.* from jsonb_to_recordset(${jsonb(keys)}) as k
    (server_id bigint, datastore_name text, namespace text, backup_type text, backup_id text)`
