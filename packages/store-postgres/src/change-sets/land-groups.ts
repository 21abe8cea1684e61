import { registryVersion } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { inScope, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, keyColumns } from '../tables/columns.ts'
import type { LastSeen } from './land-rows.ts'
import type { Window } from './windows.ts'

const key = keyColumns('group')

/**
 * The keys of the groups that a window's snapshots lie in; `kind` narrows the rows, under the alias
 * `w`. A source lists group by group, so a group is taken where it begins, which spares sorting all
 * its rows.
 */
export function groupsOf(window: Window, kind: RawBuilder<boolean>): RawBuilder<unknown> {
  const before = key.map(({ name }) => sql`lag(${sql.ref(`w.${name}`)}) over listed`)
  return sql`
    select distinct ${columnNames(key, 'x')} from (
      select ${columnNames(key, 'w')}, (${columnNames(key, 'w')}) is distinct from (${sql.join(before)}) as begins
      from staged_snapshots w where ${window.rows} and ${kind} window listed as (order by w.seq)
    ) x where x.begins`
}

/**
 * Creates the groups that a window's new snapshots lack: a user may have deleted one, with its last
 * snapshot, since the source was read. Returns their number.
 */
export async function ensureGroups(db: Kysely<Tables>, window: Window): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into groups (${columnNames(key)}, presence)
    select ${columnNames(key, 'w')}, 'listed' from (${groupsOf(window, sql`w.op = 'create'`)}) w
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
