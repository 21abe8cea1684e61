import { type Kysely, sql } from 'kysely'
import { recountBranchGroups } from '../../branches/branch-groups.ts'
import type { Tables } from '../../database/tables.ts'
import { inScope } from '../../scopes/scope-place.ts'
import { byPlace, type GroupKey } from '../../writes/recount.ts'

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
