import type { PbsFailureReason, PbsRequestFailed } from '@netbox-pbs/pbs-client'
import type { FailedCode } from '@netbox-pbs/proxbox-client/contract'
import { ScopeFailed } from '../frames/scope-failed.ts'

const meaning: Record<PbsFailureReason, { readonly code: FailedCode; readonly retryable: boolean }> = {
  unreachable: { code: 'unreachable', retryable: true },
  timeout: { code: 'timeout', retryable: true },
  tls_fingerprint_mismatch: { code: 'tls_fingerprint_mismatch', retryable: false },
  tls_untrusted: { code: 'tls_untrusted', retryable: false },
  unauthorized: { code: 'unauthorized', retryable: false },
  forbidden: { code: 'forbidden', retryable: false },
  maintenance: { code: 'maintenance', retryable: false },
  not_mounted: { code: 'not_mounted', retryable: false },
  // What was listed a moment ago is gone: the next run sees the new list.
  not_found: { code: 'protocol', retryable: true },
  unsupported: { code: 'protocol', retryable: false },
  // PBS answers 400 for passing troubles too, such as a prune during the walk.
  rejected: { code: 'protocol', retryable: true },
  protocol: { code: 'protocol', retryable: true },
}

const rejections: Readonly<Partial<Record<PbsFailureReason, ScopeFailed['refused']>>> = {
  not_found: 'gone',
  rejected: 'unreadable',
}

/** A failed request to a PBS as the failure of the scope it was made for. */
export const scopeFailure = (error: PbsRequestFailed): ScopeFailed =>
  new ScopeFailed({
    ...meaning[error.reason],
    message: error.message,
    presentedFingerprint: error.fingerprints?.presented,
    refused: error.status === 400 ? rejections[error.reason] : undefined,
    cause: error,
  })
