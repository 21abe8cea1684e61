import { registryVersion, type Scope, scopeKey } from '@netbox-pbs/core'
import type { MergeOrigin } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { scopeServerId } from '../inventory/read-scope-state.ts'
import { inScope, isScopeRow, type ScopePlace, scopePlace } from '../inventory/scope-place.ts'

/** Forgets the frames of groups that a merge has written: what they were read from is no longer what main says. */
export async function clearTouchedDigests(db: Kysely<Tables>, branch: number, place: ScopePlace): Promise<void> {
  if (place.resource !== 'snapshots') return
  await sql`
    update groups g set digest = null, digest_cleared_by = pg_current_xact_id()
    where ${inScope(place)} and exists (
      select from (
        select branch_id, server_id, datastore_name, namespace, backup_type, backup_id from branch_groups
        union all select branch_id, server_id, datastore_name, namespace, backup_type, backup_id from branch_snapshots
      ) e where e.branch_id = ${branch}::bigint and e.server_id = g.server_id and e.datastore_name = g.datastore_name and e.namespace = g.namespace
        and e.backup_type = g.backup_type and e.backup_id = g.backup_id
    )`.execute(db)
}

interface CoveredScope {
  readonly scope: Scope
  readonly view: string | null
  readonly listed_at: string
}

/** Notes that the scopes of a merged branch were listed, as a landing does. A scope whose deletions are kept, or that was emptied with its parent, keeps its view. */
export async function landViews(db: Kysely<Tables>, branch: number, kept: ReadonlySet<string>): Promise<void> {
  const { rows } = await sql<CoveredScope>`
    select scope, view, listed_at from branch_scopes where branch_id = ${branch}::bigint and listed order by scope_key`.execute(
    db,
  )
  for (const { scope, view, listed_at } of rows) {
    const serverId = await scopeServerId(db, scope)
    if (serverId === undefined || kept.has(scopeKey(scope))) continue
    const place = scopePlace(scope, serverId)
    const { numAffectedRows } = await sql`
      update scopes set view = ${view}, last_complete_at = greatest(last_complete_at, ${listed_at}::timestamptz)
      where ${isScopeRow(place)}`.execute(db)
    if (numAffectedRows !== 0n) continue
    await sql`
      insert into scopes (server_id, resource, datastore_name, namespace, job_type, view, last_complete_at, registry_version)
      values (${serverId}::bigint, ${place.resource}, ${place.datastoreName}, ${place.namespace}, ${place.jobType}, ${view},
        ${listed_at}::timestamptz, ${registryVersion}::bigint)`.execute(db)
  }
}

/** Marks a branch as merged. What it changed stays with it, so that it can be shown and undone. */
export async function endMerged(
  db: Kysely<Tables>,
  branch: number,
  { at, by }: { readonly at: string; readonly by: MergeOrigin },
): Promise<void> {
  const who =
    'runId' in by
      ? sql`coalesce((select started_by from runs where id = ${by.runId}::bigint), '')`
      : sql`${by.user}::text`
  await sql`
    update branches set status = 'merged', merged = ${at}::timestamptz, merged_by = ${who}, last_updated = now()
    where id = ${branch}::bigint`.execute(db)
}
