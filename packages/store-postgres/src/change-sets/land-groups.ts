import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { ScopePlace } from '../inventory/scope-place.ts'
import type { Window } from './windows.ts'

/**
 * `backup_type` and `backup_id` of the groups that a window's snapshots lie in; `kind` narrows the rows, under the alias `w`. A source lists group by group, so a group is
 * taken where it begins, which spares sorting all its rows.
 */
export const groupsOf = (window: Window, kind: RawBuilder<boolean>): RawBuilder<unknown> => sql`
  select distinct x.backup_type, x.backup_id from (
    select w.backup_type, w.backup_id,
      (w.backup_type, w.backup_id) is distinct from (lag(w.backup_type) over listed, lag(w.backup_id) over listed) as begins
    from staged_snapshots w where ${window.rows} and ${kind} window listed as (order by w.seq)
  ) x where x.begins`

/**
 * Makes the groups that a window's new snapshots lack: a hand may have deleted one, with its last snapshot, since the source was read. Returns how many.
 */
export async function ensureGroups(db: Kysely<Tables>, place: ScopePlace, window: Window): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence)
    select ${place.serverId}::bigint, ${place.datastoreName}, ${place.namespace}, w.backup_type, w.backup_id, 'listed'
    from (${groupsOf(window, sql`w.op = 'create'`)}) w
    on conflict do nothing`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** Groups that the source lists no longer: from now on each lives only as long as it has snapshots made by hand. */
export async function unlistGroups(
  db: Kysely<Tables>,
  window: Window,
  letGo: RawBuilder<boolean>,
  lastSeen: string | null,
): Promise<void> {
  await sql`
    update groups g set presence = 'manual', missing_since = null, last_seen_own = ${lastSeen}::timestamptz, digest = null
    from staged_groups w
    where ${window.rows} and w.op = 'delete' and g.id = w.id and g.presence <> 'manual' and ${letGo}`.execute(db)
}
