import type { Contact, ServerHealth } from '@netbox-pbs/core'
import type { ServerContact } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

/** The contact that a source's report on a server implies; null: none. Without a reason the status counts. */
export function contactOf(
  { status, last_seen_at, latency_ms, clock_offset_seconds, tls_checked: checked = false, error }: ServerContact,
  { at, runId }: Pick<Contact, 'at' | 'runId'>,
): Contact | null {
  const failed = (code: string, message: string, presentedFingerprint: string | null): Contact => ({
    _tag: 'failed',
    at,
    runId,
    checked,
    code,
    message,
    presentedFingerprint,
  })
  if (error !== undefined) return failed(error.code, error.message, error.presented_fingerprint ?? null)
  if (status === 'reachable')
    return {
      _tag: 'answered',
      at: last_seen_at ?? at,
      runId,
      checked,
      latencyMs: latency_ms ?? null,
      clockOffsetSeconds: clock_offset_seconds,
    }
  return status === 'unreachable' ? failed('unreachable', 'the gateway could not reach it', null) : null
}

/**
 * Logs a changed state of a server: reachable or not, or another kind of failure; an unchanged
 * state is not logged, so that a server that is down for a week takes one line. `before` null:
 * there was no contact yet.
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
