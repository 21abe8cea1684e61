import { registryVersion } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { inScope, type ScopePlace } from '../scopes/scope-place.ts'
import type { Window } from './windows.ts'

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
    set digest = d.digest, digest_registry_version = ${registryVersion}::bigint, listed_count = d.listed_count
    from (
      select distinct on (w.backup_type, w.backup_id) w.* from staged_digests w where ${window.rows}
      order by w.backup_type, w.backup_id, w.seq desc
    ) d, change_sets c
    where ${inScope(place)} and g.backup_type = d.backup_type and g.backup_id = d.backup_id and c.id = ${changeSet}::bigint
      and g.presence = 'listed' and g.missing_count = 0
      and (g.digest_cleared_by is null or pg_visible_in_snapshot(g.digest_cleared_by, c.opened_in)
        or g.digest_cleared_by >= pg_snapshot_xmax(pg_current_snapshot()))
      and (g.digest, g.digest_registry_version, g.listed_count) is distinct from (d.digest, ${registryVersion}::bigint, d.listed_count)`.execute(
    db,
  )
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
