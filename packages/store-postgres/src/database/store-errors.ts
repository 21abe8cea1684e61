import { StoreFailed } from '@netbox-pbs/core/ports'
import { DatabaseError } from 'pg'
import { StatementStopped } from './statement-scope.ts'

type Reason = StoreFailed['reason']

/** By SQLSTATE, first the whole code, then its class. */
const reasons: Readonly<Record<string, Reason>> = {
  '08': 'unavailable', // connection exception
  '40': 'conflict', // deadlock, serialization failure
  '57': 'unavailable', // shutting down
  '57014': 'stopped', // cancelled, not by us
  '25P03': 'unavailable', // the session was ended, idle in a transaction
  '53300': 'crowded', // too many connections
  '55P03': 'unavailable', // lock not available
  '28': 'refused', // authentication
  '42501': 'refused', // privileges
  '3D000': 'refused', // no such database
  '25006': 'read_only', // as on a standby
  '53': 'full', // disk full, out of memory
  '58030': 'full', // i/o error while extending a file
}

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // no such socket
])

/** pg-pool's message when no connection came free in time. */
const noneFree = 'timeout exceeded when trying to connect'

/** Messages of pg without a code. */
const lostConnection =
  /connection terminated|client has encountered a connection error|not queryable|pglite is clos|has already been destroyed/i

/** Why a statement failed, when the cause is external; null: it is an internal error. */
export function failureReason(cause: unknown): Reason | null {
  if (cause instanceof StatementStopped) return cause.reason === 'limit' ? 'too_slow' : 'unavailable'
  const code = codeOf(cause)
  if (code === 'ENOSPC') return 'full'
  if (unreachable.has(code)) return 'unavailable'
  const known = reasons[code] ?? reasons[code.slice(0, 2)]
  if (known !== undefined && /^[0-9A-Z]{5}$/.test(code)) return known
  if (!(cause instanceof Error)) return null
  if (cause.message === noneFree) return 'busy'
  return lostConnection.test(cause.message) ? 'unavailable' : null
}

/**
 * Whether a statement that failed may have been done: its connection broke, or the session ended
 * with it. An error that leaves the session open says that it was not.
 */
export function isDoubtful(cause: unknown): boolean {
  if (!(cause instanceof DatabaseError)) return failureReason(cause) === 'unavailable'
  return cause.severity !== 'ERROR'
}

/** Whether a statement failed because its session can only read. */
export function isReadOnly(cause: unknown): boolean {
  return codeOf(cause) === '25006'
}

/** Whether a statement waited longer for a lock than its session allows. */
export function isLockTimeout(cause: unknown): boolean {
  return codeOf(cause) === '55P03'
}

/** Whether a statement broke a unique constraint. */
export function isUniqueViolation(cause: unknown): boolean {
  return codeOf(cause) === '23505'
}

/** Whether a statement had a regular expression that PostgreSQL does not understand. */
export function isWrongPattern(cause: unknown): cause is Error {
  return cause instanceof Error && codeOf(cause) === '2201B'
}

function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0])
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : ''
  return typeof code === 'string' ? code : ''
}

/** The one translation from a driver's error: a failure of the store, or a defect, which is thrown. */
export function storeFailed(operation: string, cause: unknown): StoreFailed {
  const reason = failureReason(cause)
  if (reason === null) throw cause
  return new StoreFailed({ reason, operation, cause })
}
