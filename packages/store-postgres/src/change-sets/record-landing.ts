import type { RowCounts } from '@netbox-pbs/core'
import type { Landing } from '@netbox-pbs/core/ports'
import type { Kysely } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { recordScope } from '../runs/record-scope.ts'

/**
 * Records how a scope ended, in the transaction that lands or stages it. To be called last, so that
 * the run's row is locked for the shortest time.
 */
export async function recordLanding(
  db: Kysely<Tables>,
  { runId, record }: Pick<Landing, 'runId' | 'record'>,
  counts: RowCounts,
): Promise<void> {
  if (record === null) return
  const { serverId, result } = record
  await recordScope(db, { id: runId, serverId, result: result(counts) })
}
