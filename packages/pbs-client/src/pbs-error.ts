import { Data, Redacted } from 'effect'
import { errors } from 'undici'
import { authority, type PbsConnection } from './connection.ts'
import { UnexpectedShape } from './decode-item.ts'
import { MalformedList } from './item-splitter.ts'
import { Silence } from './response-body.ts'
import { ConnectTimeout, Untrusted } from './verified-socket.ts'

/**
 * Why a request failed; closed, so that a caller can map it with one record.
 *
 * - `unreachable`: no connection, or it broke
 * - `timeout`: connecting, the first byte or a silence took longer than `timeoutSeconds`
 * - `tls_fingerprint_mismatch`: the certificate is not the pinned one; nothing was sent
 * - `tls_untrusted`: no pin, and the chain or the host name does not verify; nothing was sent
 * - `unauthorized`: the token is wrong, disabled or expired (401, and the 400 of PBS 4.1.2 and 4.1.3)
 * - `forbidden`: the token lacks a privilege (403)
 * - `maintenance`: the datastore is in a maintenance mode that forbids reading
 * - `not_mounted`: the removable datastore is not plugged in
 * - `not_found`: the datastore, namespace or group does not exist (any more)
 * - `unsupported`: this server does not know the endpoint (404)
 * - `rejected`: the server refused or failed for a reason that only its text names
 * - `protocol`: the answer is not what a PBS says (not JSON, a missing field, a redirect, too large)
 */
export type PbsFailureReason =
  | 'unreachable'
  | 'timeout'
  | 'tls_fingerprint_mismatch'
  | 'tls_untrusted'
  | 'unauthorized'
  | 'forbidden'
  | 'maintenance'
  | 'not_mounted'
  | 'not_found'
  | 'unsupported'
  | 'rejected'
  | 'protocol'

/** The facts of a failure; never the secret. */
export interface PbsFailure {
  readonly reason: PbsFailureReason
  /** `host:port`. */
  readonly server: string
  /** The path below `/api2/json`, without the query; `-` while connecting for no endpoint in particular. */
  readonly endpoint: string
  /** The text of the server or the operating system, one printable line of at most 300 characters. */
  readonly detail: string
  /** The HTTP status, when there was one. */
  readonly status?: number
  /** Of a refused certificate, as lower case hex joined with colons; `expected` is null where none was pinned. */
  readonly fingerprints?: { readonly expected: string | null; readonly presented: string }
  readonly cause?: unknown
}

const summary: Record<PbsFailureReason, string> = {
  unreachable: 'cannot be reached',
  timeout: 'did not answer in time',
  tls_fingerprint_mismatch: 'presents another certificate than the pinned one',
  tls_untrusted: 'presents a certificate that does not verify',
  unauthorized: 'rejects the API token',
  forbidden: 'does not allow this to the API token',
  maintenance: 'has the datastore in maintenance',
  not_mounted: 'has the datastore not mounted',
  not_found: 'has no such object',
  unsupported: 'does not know this endpoint',
  rejected: 'refused the request',
  protocol: 'answered with something that is not the PBS API',
}

const nextStep: Record<PbsFailureReason, string> = {
  unreachable: 'Check host and port, the network and that proxmox-backup-proxy runs.',
  timeout:
    'Check the load of the server and the disks of its datastores, or raise the timeout of its endpoint; systemctl restart proxmox-backup-proxy ends requests that hang.',
  tls_fingerprint_mismatch:
    'If the certificate was renewed, compare the fingerprint with the dashboard of the server and pin the new one; otherwise another machine may be intercepting the connection.',
  tls_untrusted: 'Pin the fingerprint of the server, or install a certificate from a trusted CA.',
  unauthorized: 'Check token id and secret, and that neither the token nor its user is disabled or expired.',
  forbidden: 'Grant the role Audit on the path to both the token and its user.',
  maintenance: 'Wait until the maintenance mode is cleared.',
  not_mounted: 'Mount the datastore to read it.',
  not_found: 'List the datastores and namespaces again.',
  unsupported: 'Check the version of the server, and that host and port lead to a PBS.',
  rejected: 'Look at the text, and at the log of the server.',
  protocol: 'Check that host and port lead to a PBS (8007, https) and not to a proxy or another service.',
}

/** A request to a PBS failed. `reason` says which decision the caller has; `message` is meant for people. */
export class PbsRequestFailed extends Data.TaggedError('PbsRequestFailed')<PbsFailure> {
  override get message(): string {
    const text = this.detail === '' ? '' : `: ${this.detail}`
    const seen = this.fingerprints === undefined ? '' : ` (${comparison(this.fingerprints)})`
    const http = this.status === undefined ? '' : ` (HTTP ${this.status})`
    return `PBS ${this.server} ${summary[this.reason]}${http} for ${this.endpoint}${seen}${text}. ${nextStep[this.reason]}`
  }
}

const comparison = ({ expected, presented }: NonNullable<PbsFailure['fingerprints']>): string =>
  expected === null ? `presented ${presented}` : `expected ${expected}, presented ${presented}`

/** Every error of this client. */
export type PbsError = PbsRequestFailed

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

/** The bytes that undici attaches to parse errors are dropped: a peer may echo the request. */
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

/**
 * The wordings of PBS 2.x to 4.2; the first that matches decides. Error bodies are text under every
 * content type.
 */
const byText: ReadonlyArray<readonly [RegExp, PbsFailureReason]> = [
  [/^authentication failed\b/, 'unauthorized'],
  [/^permission check failed\b/, 'forbidden'],
  [/^no such datastore\b/, 'not_found'],
  [/^datastore '[^']*' is not mounted/, 'not_mounted'],
  [/^datastore '[^']*' is unavailable: /, 'maintenance'],
  [/^datastore '[^']*' is in [\w -]*maintenance mode/, 'maintenance'],
  [/^datastore '[^']*' is being (deleted|unmounted)/, 'maintenance'],
  [/\bENOENT\b|No such file or directory/, 'not_found'],
]

/** Why a reply that is not a 200 failed, from its status and the text of its body. */
export const classifyResponse = (status: number, text: string): PbsFailureReason => {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'unsupported'
  if (status === 400) return byText.find(([pattern]) => pattern.test(text.trimStart()))?.[1] ?? 'rejected'
  return status >= 500 ? 'rejected' : 'protocol'
}

/** Whether the server refused a query parameter that it does not know (an older version). */
export const isUnknownParameter = (status: number | undefined, text: string): boolean =>
  status === 400 && text.includes('schema does not allow additional properties')

/** The longest text of a peer in an error, in UTF-16 units. */
const maxLength = 300

/** As many characters of a secret in a row are taken for a part of it. */
const partLength = 8

/**
 * A text of the peer, made safe for an error: one line of printable characters, bounded, and
 * without the secret or parts of it that the peer may echo. Never throws.
 */
export const safeText = (connection: Pick<PbsConnection, 'tokenSecret'>, text: string): string => {
  const secret = Redacted.value(connection.tokenSecret).toWellFormed()
  // Longer texts are cut first: the search below looks at every character.
  // The encoded form first, which holds parts of the plain one.
  const cleaned = [encodeURIComponent(secret), secret].reduce(
    withoutParts,
    text.slice(0, 16 * maxLength).toWellFormed(),
  )
  return printableLine(cleaned).slice(0, maxLength).toWellFormed()
}

/** One line without control characters, and without the marks that turn the direction of a text. */
const printableLine = (text: string): string =>
  text.replaceAll(/[\s\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()

/** Replaces every run of at least eight characters that the secret has; of a shorter secret only the whole. */
const withoutParts = (text: string, secret: string): string => {
  const least = Math.min(partLength, secret.length)
  if (least === 0) return text
  const kept: Array<string> = []
  let from = 0
  let at = 0
  while (at + least <= text.length) {
    if (!secret.includes(text.slice(at, at + least))) {
      at += 1
      continue
    }
    let end = at + least
    while (end < text.length && secret.includes(text.slice(at, end + 1))) end += 1
    kept.push(text.slice(from, at), '<redacted>')
    from = end
    at = end
  }
  return [...kept, text.slice(from)].join('')
}
