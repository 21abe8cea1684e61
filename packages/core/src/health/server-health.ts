import type { Observations } from '../registry/registry.ts'

/**
 * The reachability of a server, apart from its inventory: the observations of its row. A run counts
 * repeated failures once: `failed_run` is the run that counted the last failure.
 */
export type ServerHealth = Observations<'server'> & { readonly last_seen_at: string | null }

/** Outcome of one contact with a server. Times are RFC 3339. */
export type Contact = {
  readonly at: string
  /** The run that made the contact; null: a test, whose failure is not counted. */
  readonly runId: number | null
  /** The server's certificate is checked against a pin or a chain, so a response proves its identity. */
  readonly checked: boolean
} & (
  | {
      readonly _tag: 'answered'
      readonly latencyMs: number | null
      /** How far its clock is ahead, or behind where negative; left out where it was not asked. */
      readonly clockOffsetSeconds?: number | undefined
      /** That its token may do more than it needs; empty: it may not; left out where it was not looked at. */
      readonly tokenWarning?: string | undefined
      /** Its datastores or their contents were listed, so its token works for that. Left out when they were not. */
      readonly listed?: boolean
    }
  | {
      readonly _tag: 'failed'
      /** A code of the contract's `failed` frame. */
      readonly code: string
      /** A sentence; never a secret. */
      readonly message: string
      /** SHA-256 of the certificate that was shown, where it was refused; else null. */
      readonly presentedFingerprint: string | null
    }
)

/** The health of a server before its first contact. */
export const neverContacted: ServerHealth = {
  status: 'unknown',
  status_since: null,
  consecutive_failures: 0,
  last_error_code: '',
  last_error: '',
  last_error_at: null,
  latency_ms: null,
  clock_offset_seconds: null,
  token_warning: '',
  tls_state: 'unknown',
  presented_fingerprint: '',
  failed_run: null,
  last_seen_at: null,
}

/** Whether the server answered, and the state of the certificate (`passed`: accepted, `kept`: no change). */
interface Meaning {
  readonly status: 'reachable' | 'unreachable'
  readonly tls: 'passed' | 'kept' | 'fingerprint_changed' | 'untrusted'
}

/** Failure codes that concern the server as a whole, for every request. */
const failures: Readonly<Record<string, Meaning>> = {
  unreachable: { status: 'unreachable', tls: 'kept' },
  timeout: { status: 'unreachable', tls: 'kept' },
  tls_fingerprint_mismatch: { status: 'unreachable', tls: 'fingerprint_changed' },
  tls_untrusted: { status: 'unreachable', tls: 'untrusted' },
  // It answers that the token is not valid.
  unauthorized: { status: 'reachable', tls: 'passed' },
}

/** Any other refusal came from the server, so it is reachable. */
const rejected: Meaning = { status: 'reachable', tls: 'passed' }

/** Whether a failure with this code concerns the whole server, so that other requests would fail too. */
export const concernsServer = (code: string): boolean => Object.hasOwn(failures, code)

/** The status of a server after a contact that failed with this code. */
export const statusAfter = (code: string): 'reachable' | 'unreachable' => (failures[code] ?? rejected).status

/**
 * The health of a server after a contact.
 *
 * | contact | status | tls_state | presented_fingerprint | last error | consecutive_failures | latency_ms | last_seen_at |
 * | --- | --- | --- | --- | --- | --- | --- | --- |
 * | answered | reachable | ok, or unknown when nothing is checked | cleared | cleared | 0 | as measured, else kept | now |
 * | answered, and nothing listed, after `forbidden` | reachable | as above | cleared | kept | kept | as above | now |
 * | unreachable, timeout | unreachable | kept | kept | this | counted | null | kept |
 * | tls_fingerprint_mismatch | unreachable | fingerprint_changed | what was shown | this | counted | null | kept |
 * | tls_untrusted | unreachable | untrusted | what was shown | this | counted | null | kept |
 * | unauthorized, any other code | reachable | ok, or unknown when nothing is checked | cleared | this | counted | null | kept |
 *
 * Only a list or a test shows that a token sees no datastore (`forbidden`); an answer to the
 * smallest request does not. A failure counts once per run and never in a test; `status_since`
 * changes only with the status.
 */
export function nextHealth(previous: ServerHealth | null, contact: Contact): ServerHealth {
  const before = previous ?? neverContacted
  const passed = contact.checked ? 'ok' : 'unknown'
  const since = (status: string) => ({
    status,
    status_since: status === before.status ? (before.status_since ?? contact.at) : contact.at,
  })
  if (contact._tag === 'answered') {
    // A test checks the token's privileges to list.
    const toldLists = contact.listed === true || contact.runId === null
    const forbidden = !toldLists && before.last_error_code === 'forbidden'
    return {
      ...(forbidden ? before : neverContacted),
      ...since('reachable'),
      tls_state: passed,
      presented_fingerprint: '',
      latency_ms: contact.latencyMs ?? before.latency_ms,
      clock_offset_seconds: contact.clockOffsetSeconds ?? before.clock_offset_seconds,
      token_warning: contact.tokenWarning === undefined ? before.token_warning : bounded(contact.tokenWarning),
      last_seen_at: contact.at,
    }
  }
  const { status, tls } = failures[contact.code] ?? rejected
  const counted = contact.runId !== null && before.failed_run !== contact.runId
  return {
    ...before,
    ...since(status),
    consecutive_failures: Math.min(before.consecutive_failures + (counted ? 1 : 0), mostFailures),
    last_error_code: contact.code,
    last_error: bounded(contact.message),
    last_error_at: contact.at,
    latency_ms: null,
    tls_state: tls === 'kept' ? before.tls_state : tls === 'passed' ? passed : tls,
    presented_fingerprint:
      tls === 'kept' ? before.presented_fingerprint : tls === 'passed' ? '' : (contact.presentedFingerprint ?? ''),
    failed_run: contact.runId ?? before.failed_run,
  }
}

/** The registry's own bounds. */
const mostFailures = 2147483647
const longestError = 2000

/** A cut may fall between the halves of a character, which the store refuses. */
const bounded = (message: string): string => message.slice(0, longestError).toWellFormed()

/** The origin of a list's failure: the list, the server, or one of both. */
export type FailureScope = 'list' | 'server' | 'unclear'

/** Failures that every request to the server would meet: its certificate. */
const ofServer = new Set(['tls_fingerprint_mismatch', 'tls_untrusted'])

/**
 * Failures that a single list may meet as well: PBS answers while one of its disks hangs, and a
 * proxy in front of it may refuse one path.
 */
const ofEither = new Set(['unreachable', 'timeout', 'unauthorized'])

/**
 * Whose trouble a list that failed with a code of the contract's `failed` frame is. `unclear`: the
 * server is asked the smallest request; only when that fails too, the server itself is the trouble.
 *
 * | code | whose |
 * | --- | --- |
 * | tls_fingerprint_mismatch, tls_untrusted | the server's |
 * | unreachable, timeout, unauthorized | unclear |
 * | any other | the list's |
 */
export function failureScope(code: string): FailureScope {
  if (ofServer.has(code)) return 'server'
  return ofEither.has(code) ? 'unclear' : 'list'
}

/** A clock may differ by this many seconds: the rest of an NTP server that is being followed. */
const clockTolerance = 60

/** Whether the clock of a server differs from the gateway's by so much that its times mislead. */
export const clockDiffers = (offsetSeconds: number | null): boolean =>
  offsetSeconds !== null && Math.abs(offsetSeconds) > clockTolerance

/** After this many failed runs in a row, a server gets only one request per run. */
export const failuresBeforeBackoff = 3

/**
 * How hard a job may try to read a server.
 *
 * - `whole`: everything, again by the queue when the stream breaks.
 * - `once`: the first request decides; the queue does not try again.
 * - `none`: this run has already tried it, and it failed.
 */
export type Attempt = 'whole' | 'once' | 'none'

/**
 * The attempt that a run makes at a server. A server that keeps failing gets exactly one request per
 * run; once it answers it is read whole again.
 */
export function attemptAt(health: ServerHealth | null, runId: number): Attempt {
  if (health === null) return 'whole'
  const inThisRun = health.failed_run === runId && health.consecutive_failures > 0
  const before = health.consecutive_failures - (inThisRun ? 1 : 0)
  if (before < failuresBeforeBackoff) return 'whole'
  return inThisRun ? 'none' : 'once'
}
