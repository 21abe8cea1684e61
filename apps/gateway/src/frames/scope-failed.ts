import type { FailedCode } from '@netbox-pbs/proxbox-client/contract'
import { Data } from 'effect'

/** A scope cannot be listed; becomes its `failed` frame. `message` tells the operator the next step. */
export class ScopeFailed extends Data.TaggedError('ScopeFailed')<{
  readonly code: FailedCode
  readonly message: string
  readonly retryable: boolean
  readonly cause?: unknown
}> {}

/** Whether the whole server is the trouble, so that asking it for other scopes is of no use right now. */
export const concernsServer = ({ code }: ScopeFailed): boolean =>
  code === 'unreachable' ||
  code === 'timeout' ||
  code === 'tls_fingerprint_mismatch' ||
  code === 'tls_untrusted' ||
  code === 'unauthorized'
