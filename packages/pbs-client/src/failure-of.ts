import { errors } from 'undici'
import { authority, type PbsConnection } from './connection.ts'
import { UnexpectedShape } from './decode-item.ts'
import { MalformedList } from './item-splitter.ts'
import { Silence } from './pace.ts'
import { type PbsFailureReason, PbsRequestFailed } from './pbs-error.ts'
import { safeText } from './safe-text.ts'
import { ConnectTimeout, Untrusted } from './verified-socket.ts'

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

/** Codes of Node, OpenSSL and undici that mean that the peer does not speak our protocol. */
const isProtocolCode = (code: string): boolean =>
  code === 'EPROTO' ||
  code.startsWith('ERR_SSL') ||
  // An answer that ends too early is one that broke.
  (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') ||
  code === 'UND_ERR_HEADERS_OVERFLOW' ||
  code === 'UND_ERR_INVALID_ARG'

// A RangeError is an answer nested deeper than the stack.
const reasonOf = (error: Error): PbsFailureReason => {
  if (error instanceof Untrusted) return error.kind
  if (error instanceof ConnectTimeout || error instanceof Silence || codeOf(error) === 'ETIMEDOUT') return 'timeout'
  if (
    error instanceof RangeError ||
    error instanceof MalformedList ||
    error instanceof UnexpectedShape ||
    isProtocolCode(codeOf(error))
  )
    return 'protocol'
  return 'unreachable'
}

/** The bytes that undici attaches to parse errors are not kept: a peer may echo what it was sent. */
const causeOf = (error: Error): unknown =>
  error instanceof errors.HTTPParserError ? Object.assign(new Error(error.message), { code: codeOf(error) }) : error

/** The error of this client for one of a socket, the HTTP parser or a decoder. */
export const failureOf = (connection: PbsConnection, endpoint: string, error: unknown): PbsRequestFailed => {
  const thrown = error instanceof Error ? error : new Error(String(error))
  return new PbsRequestFailed({
    reason: reasonOf(thrown),
    server: authority(connection),
    endpoint,
    detail: safeText(connection, thrown.message),
    ...(thrown instanceof Untrusted ? { fingerprints: thrown.fingerprints } : {}),
    cause: causeOf(thrown),
  })
}
