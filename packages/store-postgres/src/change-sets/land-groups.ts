import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { Window } from './windows.ts'

/**
 * Makes the groups that a window's new snapshots lack: a hand may have deleted one, with its last snapshot, since the source was read. Returns how many.
 */
export async function ensureGroups(db: Kysely<Tables>, window: Window): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence)
    select distinct w.server_id, w.datastore_name, w.namespace, w.backup_type, w.backup_id, 'listed'
    from staged_snapshots w where ${window.rows} and w.op = 'create'
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
