import { SourceFailed } from '@netbox-pbs/core/ports'
import { errors } from 'undici'

const tlsCodes = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/
const timeoutCodes = ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']

/** A call that ended before there was an answer. Of the cause only the innermost is kept: the outer ones hold the request with its headers. */
export function transportFailure(base: string, error: unknown): SourceFailed {
  const cause = innermost(error)
  const code = codeOf(cause)
  const because = code === '' ? '' : ` (${code})`
  if (tlsCodes.test(code)) {
    return new SourceFailed({
      code: 'tls_untrusted',
      message: `the certificate of the gateway at ${base} is not trusted${because}: give Node its authority with NODE_EXTRA_CA_CERTS, or correct the address`,
      retryable: false,
      cause,
    })
  }
  if (cause instanceof errors.HTTPParserError) {
    // Its cause holds what was received.
    return new SourceFailed({
      code: 'protocol',
      message: `${base} does not speak HTTP${because}: correct the address of the gateway`,
      retryable: false,
    })
  }
  return new SourceFailed({
    code: timeoutCodes.includes(code) ? 'timeout' : 'unreachable',
    message: `the gateway at ${base} cannot be reached${because}: check that it runs and that its address is right`,
    retryable: true,
    cause,
  })
}

/** An answer that broke off. */
export function cutOff(base: string, error: unknown): SourceFailed {
  const cause = innermost(error)
  const code = codeOf(cause)
  return new SourceFailed({
    code: 'cut_off',
    message: `the answer of the gateway at ${base} was cut off${code === '' ? '' : ` (${code})`}: look into the gateway's log, then run again`,
    retryable: true,
    cause,
  })
}

function innermost(error: unknown): unknown {
  let inner = error
  for (let depth = 0; depth < 5; depth += 1) {
    if (typeof inner !== 'object' || inner === null || !('cause' in inner) || inner.cause === undefined) break
    inner = inner.cause
  }
  return inner
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
