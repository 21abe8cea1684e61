import type { ServerHealth } from '@netbox-pbs/core'
import { Effect } from 'effect'

/**
 * Logs that a server is in another state than when it was last heard of: reachable or not, or in another kind of trouble. A server that stays as it was is not logged, so that one that has been
 * down for a week takes one line. `before` null: nothing was heard of it.
 */
export function logStatus(
  server: string,
  before: Pick<ServerHealth, 'status' | 'last_error_code'> | null,
  after: Pick<ServerHealth, 'status' | 'last_error_code' | 'last_error'>,
): Effect.Effect<void> {
  const { status, last_error_code, last_error } = after
  if (before?.status === status && before.last_error_code === last_error_code) return Effect.void
  const well = last_error_code === ''
  return (well ? Effect.logInfo('server status changed') : Effect.logWarning('server status changed')).pipe(
    Effect.annotateLogs({
      server,
      status,
      was: before?.status ?? 'unknown',
      ...(well ? {} : { error: last_error_code, cause: last_error }),
    }),
  )
}
