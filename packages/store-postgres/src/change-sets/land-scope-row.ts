import { registryVersion } from '@netbox-pbs/core'
import type { Landing } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { hasAbsent, isScopeRow, rowCounts, type ScopePlace } from '../scopes/scope-place.ts'

/** When the scope's last list was complete; null: it never was. */
export async function lastCompleteAt(db: Kysely<Tables>, place: ScopePlace): Promise<string | null> {
  const { rows } = await sql<{ last_complete_at: string }>`
    select last_complete_at from scopes where ${isScopeRow(place)}`.execute(db)
  return rows[0]?.last_complete_at ?? null
}

/** Whether a landing's list left out no row, so that it says something of rows that it lacks. */
export const isWhole = ({ leftOut = 0 }: Pick<Landing, 'leftOut'>): boolean => leftOut === 0

/**
 * Notes that the scope was listed: the one row that a landing without changes writes. A list that
 * left rows out is not noted. The visibility is remembered only when none of its deletions waits,
 * and no row is absent, so that what a visibility hides is held back when it is to go. A scope that
 * was emptied because its parent is gone is forgotten once nothing of it is left.
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
  const { numAffectedRows } = await sql`
    update scopes c set last_complete_at = ${landing.at}::timestamptz, registry_version = ${registryVersion}::bigint
      ${waiting === 0 ? sql`, visibility = case when ${hasAbsent('c')} then c.visibility else ${landing.visibility}::text end` : sql``}
    where ${isScopeRow(place)}`.execute(db)
  if (numAffectedRows !== 0n) return
  await sql`
    insert into scopes (server_id, resource, datastore_name, namespace, job_type, visibility, last_complete_at, registry_version)
    values (${place.server_id}::bigint, ${place.resource}, ${place.datastore_name}, ${place.namespace}, ${place.job_type},
      ${waiting === 0 ? landing.visibility : null}, ${landing.at}::timestamptz, ${registryVersion}::bigint)`.execute(db)
}
