import { registryVersion } from '@netbox-pbs/core'
import type { Landing } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchedModelsOf, hasAbsent, inScope, isScopeRow, rowCounts, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, isSighted, keyColumns, sameKey, tables } from '../tables/columns.ts'
import { variantColumns } from '../tables/variants.ts'
import type { LastSeen } from './land-rows.ts'
import type { Window } from './parts.ts'

const groupKey = keyColumns('group')

/** A list that a part refers to. Times are RFC 3339. */
interface Sighting {
  readonly place: ScopePlace
  readonly part: number
  readonly runId: number
  readonly at: string
  /** When the scope's last list was complete; null: it never was. */
  readonly lastSeen: string | null
}

/**
 * Marks the rows that a part's list lacks as absent, and those that it has again as listed, except
 * rows that a user has edited since. The digest of an absent group is cleared, so that its frame is
 * read when it returns.
 */
export async function landSightings(db: Kysely<Tables>, sighting: Sighting): Promise<void> {
  for (const model of branchedModelsOf(sighting.place.resource)) {
    if (!isSighted(model)) continue
    const table = sql.table(tables[model])
    await sql`
      update ${table} m set ${becomes(sighting)}, absent_run = ${sighting.runId}::bigint${model === 'group' ? sql`, digest = null` : sql``}
      from staged_sightings w
      where ${isOf(sighting, model, true)} and m.id = w.id
        and (m.presence = 'listed' or m.presence = 'absent' and m.absent_run is null)`.execute(db)
    await sql`
      update ${table} m set ${listedAgain}, absent_run = null
      from staged_sightings w where ${isOf(sighting, model, false)} and m.id = w.id and m.presence = 'absent'`.execute(
      db,
    )
    if (model === 'group') await shareWithSnapshots(db, sighting)
  }
}

/** The listed snapshots of an absent group are absent with it, and those of one that returned are listed. */
async function shareWithSnapshots(db: Kysely<Tables>, sighting: Sighting): Promise<void> {
  await sql`
    update snapshots s set ${becomes(sighting)}
    from staged_sightings w join groups g on g.id = w.id
    where ${isOf(sighting, 'group', true)} and g.presence = 'absent' and ${sameKey('group', 's', 'g')} and s.presence = 'listed'`.execute(
    db,
  )
  await sql`
    update snapshots s set ${listedAgain}
    from staged_sightings w join groups g on g.id = w.id
    where ${isOf(sighting, 'group', false)} and ${sameKey('group', 's', 'g')} and s.presence = 'absent'`.execute(db)
}

const becomes = ({ at, lastSeen }: Sighting): RawBuilder<unknown> =>
  sql`presence = 'absent', missing_since = ${at}::timestamptz, last_seen_own = ${lastSeen}::timestamptz`

const listedAgain = sql`presence = 'listed', missing_since = null`

const isOf = ({ part }: Sighting, model: string, absent: boolean): RawBuilder<boolean> =>
  sql<boolean>`w.part_id = ${part}::bigint and w.model = ${model} and w.absent = ${absent}`

/** When the scope's last list was complete; null: it never was. */
export async function lastCompleteAt(db: Kysely<Tables>, place: ScopePlace): Promise<string | null> {
  const { rows } = await sql<{ last_complete_at: string }>`
    select last_complete_at from scopes where ${isScopeRow(place)}`.execute(db)
  return rows[0]?.last_complete_at ?? null
}

/** Whether a landing's list left out no row, so that it says something of rows that it lacks. */
export const isWhole = ({ leftOut = 0 }: Pick<Landing, 'leftOut'>): boolean => leftOut === 0

/**
 * Records that the scope was listed, unless rows were left out: the one row that a landing without
 * changes writes; a scope emptied because its parent is gone is removed once it has no rows left.
 * The visibility is stored only when no deletion of it waits and no row is absent, so that
 * deletions of rows that a new visibility hides are held back.
 */
export async function landScopeRow(
  db: Kysely<Tables>,
  place: ScopePlace,
  landing: Landing,
  waiting: number,
): Promise<void> {
  if (!isWhole(landing)) return
  if (!landing.listed) {
    const { rows } = await sql<{ rows: number }>`${rowCounts(place)}`.execute(db)
    if ((rows[0]?.rows ?? 0) === 0) await sql`delete from scopes where ${isScopeRow(place)}`.execute(db)
    return
  }
  const { at, fullSince = at } = landing
  const { numAffectedRows } = await sql`
    update scopes c set ${fullSince === null ? sql`last_light_at = ${at}::timestamptz` : sql`last_full_at = ${fullSince}::timestamptz`}, last_complete_at = ${at}::timestamptz, registry_version = ${registryVersion}::bigint
      ${waiting === 0 ? sql`, visibility = case when ${hasAbsent('c')} then c.visibility else ${landing.visibility}::text end` : sql``}
    where ${isScopeRow(place)}`.execute(db)
  if (numAffectedRows !== 0n) return
  await sql`
    insert into scopes (server_id, resource, datastore_name, namespace, job_type, visibility, last_full_at, last_light_at, last_complete_at, registry_version)
    values (${place.server_id}::bigint, ${place.resource}, ${place.datastore_name}, ${place.namespace}, ${place.job_type},
      ${waiting === 0 ? landing.visibility : null}, ${fullSince}::timestamptz, ${fullSince === null ? at : null}::timestamptz, ${at}::timestamptz, ${registryVersion}::bigint)`.execute(
    db,
  )
}

/**
 * The keys of the groups that a window's snapshots lie in; `kind` narrows the rows, under the alias
 * `w`. A source lists group by group, so a group is taken where it begins, which spares sorting all
 * its rows.
 */
export function groupsOf(window: Window, kind: RawBuilder<boolean>): RawBuilder<unknown> {
  const before = groupKey.map(({ name }) => sql`lag(${sql.ref(`w.${name}`)}) over listed`)
  return sql`
    select distinct ${columnNames(groupKey, 'x')} from (
      select ${columnNames(groupKey, 'w')}, (${columnNames(groupKey, 'w')}) is distinct from (${sql.join(before)}) as begins
      from staged_snapshots w where ${window.rows} and ${kind} window listed as (order by w.seq)
    ) x where x.begins`
}

/** The keys of the groups that a part changes, or changes snapshots of, or that its list has lacked or has again. */
export function touchedBy(part: number): RawBuilder<unknown> {
  const key = columnNames(groupKey, 'w')
  return sql`
    select ${key} from staged_snapshots w where w.part_id = ${part}::bigint
    union select ${key} from staged_groups w where w.part_id = ${part}::bigint
    union ${sightedGroups(part)}`
}

/** The keys of the groups that the list of a part has lacked or has again. */
export const sightedGroups = (part: number): RawBuilder<unknown> => sql`
  select ${columnNames(groupKey, 'k')} from staged_sightings w join groups k on k.id = w.id
  where w.part_id = ${part}::bigint and w.model = 'group'`

/** The fields of a snapshot that any counter of its group depends on. */
const countedFields = [
  ...keyColumns('snapshot').map(({ field }) => field),
  ...['size_bytes', 'comment', 'verification_upid', 'key_fingerprint'],
  ...variantColumns,
]

/**
 * Of the groups that a window's snapshots lie in, the keys of those whose counters may change. A
 * landing lists every row that it updates, so a group with rows that are not listed is counted too.
 */
export function staleGroupsOf(window: Window): RawBuilder<unknown> {
  return sql`
    select ${columnNames(groupKey, 'k')} from (
      select ${columnNames(groupKey, 'w')}, bool_or(w.op <> 'update' or w.touched && ${countedFields}::text[]) as counts
      from staged_snapshots w where ${window.rows} group by ${columnNames(groupKey, 'w')}
    ) k cross join lateral (select g.* from groups g where ${sameKey('group', 'g', 'k')} offset 0) g
    where k.counts or g.manual_count > 0 or g.missing_count > 0`
}

/**
 * Creates the groups that a window's new snapshots lack: a user may have deleted one, with its last
 * snapshot, since the source was read. Returns their number.
 */
export async function ensureGroups(db: Kysely<Tables>, window: Window): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into groups (${columnNames(groupKey)}, presence)
    select ${columnNames(groupKey, 'w')}, 'listed' from (${groupsOf(window, sql`w.op = 'create'`)}) w
    on conflict do nothing`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/**
 * Groups that the source no longer lists: each stays only while it has snapshots created by a user.
 */
export async function unlistGroups(
  db: Kysely<Tables>,
  window: Window,
  deletable: RawBuilder<boolean>,
  lastSeen: LastSeen,
): Promise<void> {
  await sql`
    update groups g set presence = 'manual', missing_since = null, last_seen_own = ${lastSeen('group', 'g')}, digest = null
    from staged_groups w
    where ${window.rows} and w.op = 'delete' and g.id = w.id and g.presence <> 'manual' and ${deletable}`.execute(db)
}

/**
 * Stores the digests of a window's groups, except for groups with a missing row and groups that a
 * user has written to since the change set was opened. The next run must compare those again,
 * because the frame does not match main.
 */
export async function landDigests(
  db: Kysely<Tables>,
  place: ScopePlace,
  window: Window,
  changeSet: number,
): Promise<void> {
  // A clearing by a transaction from the future can only come from another cluster, whose dump was
  // restored here.
  await sql`
    update groups g
    set digest = d.digest, digest_registry_version = ${registryVersion}::bigint, listed_count = d.listed_count, list_digest = d.list_digest
    from (
      select distinct on (w.backup_type, w.backup_id) w.* from staged_digests w where ${window.rows}
      order by w.backup_type, w.backup_id, w.seq desc
    ) d, change_sets c
    where ${inScope(place)} and g.backup_type = d.backup_type and g.backup_id = d.backup_id and c.id = ${changeSet}::bigint
      and g.presence = 'listed' and g.missing_count = 0
      and (g.digest_cleared_by is null or pg_visible_in_snapshot(g.digest_cleared_by, c.opened_in)
        or g.digest_cleared_by >= pg_snapshot_xmax(pg_current_snapshot()))
      and (g.digest, g.digest_registry_version, g.listed_count, g.list_digest)
        is distinct from (d.digest, ${registryVersion}::bigint, d.listed_count, d.list_digest)`.execute(db)
}

/** Clears the digests of the groups that the window lists. */
export async function clearReadDigests(db: Kysely<Tables>, place: ScopePlace, window: Window): Promise<void> {
  await sql`
    update groups g set digest = null from staged_digests w
    where ${window.rows} and ${inScope(place)} and g.backup_type = w.backup_type and g.backup_id = w.backup_id and g.digest is not null`.execute(
    db,
  )
}

/** Clears the digests of groups with missing rows. */
export async function clearDigestsOfMissing(db: Kysely<Tables>, place: ScopePlace): Promise<void> {
  await sql`
    update groups set digest = null
    where ${inScope(place)} and digest is not null and (presence <> 'listed' or missing_count > 0)`.execute(db)
}
