import type { RowCounts } from '@netbox-pbs/core'
import type { Landing, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Run } from '../database/session.ts'
import { recordScope } from '../runs/record-scope.ts'

/** Records how a scope ended, in the transaction that lands or stages it. To be called last, so that the run's row is locked for the shortest time. */
export function recordLanding(
  run: Run,
  { runId, record }: Pick<Landing, 'runId' | 'record'>,
  counts: RowCounts,
): Effect.Effect<void, StoreFailed> {
  if (record === null) return Effect.void
  const { serverId, result } = record
  return Effect.flatMap(result(counts), (ended) => recordScope(run, { id: runId, serverId, result: ended }))
}
