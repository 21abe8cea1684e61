import { scopeKey } from '@netbox-pbs/core'
import type { Landing, StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { sql } from 'kysely'
import type { Run } from '../database/session.ts'

/**
 * Removes a scope's part from its change set, so that it cannot land or be staged twice. Null:
 * nothing was appended.
 */
export function endPart(
  run: Run,
  { changeSet, scope }: Pick<Landing, 'changeSet' | 'scope'>,
): Effect.Effect<number | null, StoreFailed> {
  return run(async (db) => {
    const { rows } = await sql<{ id: number }>`
      update change_set_parts set waiting = false
      where change_set_id = ${changeSet}::bigint and scope_key = ${scopeKey(scope)} and waiting returning id`.execute(
      db,
    )
    return rows[0]?.id ?? null
  })
}
