import type { PbsFailureReason, PbsRequestFailed } from '@netbox-pbs/pbs-client'
import type { FailedCode } from '@netbox-pbs/proxbox-client/contract'
import { Data } from 'effect'

/** A scope cannot be listed; becomes its `failed` frame. `message` tells the operator the next step. */
export class ScopeFailed extends Data.TaggedError('ScopeFailed')<{
  readonly code: FailedCode
  readonly message: string
  readonly retryable: boolean
  /** SHA-256 of the certificate that the server presented, where it was refused. */
  readonly presentedFingerprint?: string | undefined
  /**
   * PBS rejected this one list with a 400: its object is `gone`, or exists and is `unreadable`.
   * Left out for other failures.
   */
  readonly rejected?: 'gone' | 'unreadable' | undefined
  readonly cause?: unknown
}> {}

/** The `error` of a `failed` or `server` frame. */
export const errorOf = ({
  code,
  message,
  presentedFingerprint,
}: Pick<ScopeFailed, 'code' | 'message' | 'presentedFingerprint'>) => ({
  code,
  message,
  ...(presentedFingerprint === undefined ? {} : { presented_fingerprint: presentedFingerprint }),
})

const meaning: Record<PbsFailureReason, { readonly code: FailedCode; readonly retryable: boolean }> = {
  unreachable: { code: 'unreachable', retryable: true },
  timeout: { code: 'timeout', retryable: true },
  tls_fingerprint_mismatch: { code: 'tls_fingerprint_mismatch', retryable: false },
  tls_untrusted: { code: 'tls_untrusted', retryable: false },
  unauthorized: { code: 'unauthorized', retryable: false },
  forbidden: { code: 'forbidden', retryable: false },
  maintenance: { code: 'maintenance', retryable: false },
  not_mounted: { code: 'not_mounted', retryable: false },
  // The object was listed a moment ago and is gone: the next run reads the new list.
  not_found: { code: 'protocol', retryable: true },
  unsupported: { code: 'protocol', retryable: false },
  // PBS also answers 400 for passing problems, such as a prune during the walk.
  rejected: { code: 'protocol', retryable: true },
  protocol: { code: 'protocol', retryable: true },
}

const rejections: Readonly<Partial<Record<PbsFailureReason, ScopeFailed['rejected']>>> = {
  not_found: 'gone',
  rejected: 'unreadable',
}

/** A failed request to a PBS as the failure of the scope that needed it. */
export const scopeFailure = (error: PbsRequestFailed): ScopeFailed =>
  new ScopeFailed({
    ...meaning[error.reason],
    message: error.message,
    presentedFingerprint: error.fingerprints?.presented,
    rejected: error.status === 400 ? rejections[error.reason] : undefined,
    cause: error,
  })
