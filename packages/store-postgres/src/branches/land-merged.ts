import { type Author, registryVersion } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { hasAbsent, isPlaceOf } from '../scopes/scope-place.ts'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import { nextVersion } from '../tables/row-version.ts'
import { coveredPlaces } from './covered-places.ts'

/**
 * Clears the digests of groups that a merge has written and not counted: the frames no longer match
 * main.
 */
export async function clearTouchedDigests(db: Kysely<Tables>, branch: number): Promise<void> {
  const key = columnNames(keyColumns('group'))
  await sql`
    update groups g set digest = null, digest_cleared_by = pg_current_xact_id()
    from (
      select ${key} from branch_groups where branch_id = ${branch}::bigint
      union select ${key} from branch_snapshots where branch_id = ${branch}::bigint
    ) e where ${sameKey('group', 'g', 'e')} and g.digest_cleared_by is distinct from pg_current_xact_id()`.execute(db)
}

/**
 * Notes that the scopes of a merged branch were listed, as a landing does. A scope whose deletions
 * are kept, or that was emptied with its parent, keeps its visibility.
 */
export async function landVisibilities(db: Kysely<Tables>, branch: number, kept: ReadonlySet<string>): Promise<void> {
  await sql`
    with p as materialized (
      select * from (${coveredPlaces(branch)}) p where p.listed and p.scope_key <> all(${[...kept]}::text[])
    ), known as (
      update scopes c set visibility = case when ${hasAbsent('c')} then c.visibility else p.visibility end, last_complete_at = greatest(c.last_complete_at, p.listed_at) from p where ${isPlaceOf}
    )
    insert into scopes (server_id, resource, datastore_name, namespace, job_type, visibility, last_complete_at, registry_version)
    select p.server_id, p.resource, p.datastore_name, p.namespace, p.job_type, p.visibility, p.listed_at, ${registryVersion}::bigint
    from p where not exists (select from scopes c where ${isPlaceOf})`.execute(db)
}

/**
 * Drops the group counters of a branch that merges, because its groups become main's. This comes
 * first, or the merge would mark each of them as stale.
 */
export async function dropGroupCounts(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`delete from branch_group_counts where branch_id = ${branch}::bigint`.execute(db)
}

/** Marks a branch as merged. Its changes stay with it, so that it can be shown and reverted. */
export async function endMerged(
  db: Kysely<Tables>,
  branch: number,
  { at, by }: { readonly at: string; readonly by: Author },
): Promise<void> {
  const who =
    'runId' in by
      ? sql`coalesce((select started_by from runs where id = ${by.runId}::bigint), '')`
      : sql`${by.user}::text`
  await sql`
    update branches set status = 'merged', merged = ${at}::timestamptz, merged_by = ${who}, last_updated = ${nextVersion(sql`last_updated`)}
    where id = ${branch}::bigint`.execute(db)
}
