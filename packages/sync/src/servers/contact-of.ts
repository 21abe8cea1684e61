import type { Contact } from '@netbox-pbs/core'
import type { ServerContact } from '@netbox-pbs/core/ports'

/** What a source's word on a server tells; null: nothing. A source that gives no reason is taken at its status. */
export function contactOf(
  { status, last_seen_at, latency_ms, tls_checked: checked = false, error }: ServerContact,
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
    return { _tag: 'answered', at: last_seen_at ?? at, runId, checked, latencyMs: latency_ms ?? null }
  return status === 'unreachable' ? failed('unreachable', 'the gateway could not reach it', null) : null
}
