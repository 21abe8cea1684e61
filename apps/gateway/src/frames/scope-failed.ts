import type { FailedCode } from '@netbox-pbs/proxbox-client/contract'
import { Data } from 'effect'

/** A scope cannot be listed; becomes its `failed` frame. `message` tells the operator the next step. */
export class ScopeFailed extends Data.TaggedError('ScopeFailed')<{
  readonly code: FailedCode
  readonly message: string
  readonly retryable: boolean
  /** SHA-256 of the certificate that was shown, where it was refused. */
  readonly presentedFingerprint?: string | undefined
  /** PBS refused this one list with a 400: what was asked for is `gone`, or is there and `unreadable`. Left out for other failures. */
  readonly refused?: 'gone' | 'unreadable' | undefined
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
