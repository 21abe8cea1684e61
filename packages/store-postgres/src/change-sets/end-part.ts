import { scopeKey } from '@netbox-pbs/core'
import type { Landing } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

/**
 * Removes a scope's part from its change set, so that it cannot land or be staged twice. Null:
 * nothing was appended.
 */
export async function endPart(
  db: Kysely<Tables>,
  { changeSet, scope }: Pick<Landing, 'changeSet' | 'scope'>,
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    update change_set_parts set waiting = false
    where change_set_id = ${changeSet}::bigint and scope_key = ${scopeKey(scope)} and waiting returning id`.execute(db)
  return rows[0]?.id ?? null
}
