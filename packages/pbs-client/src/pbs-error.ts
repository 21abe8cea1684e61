import { Data } from 'effect'

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
  /** What the server or the operating system said, one printable line of at most 300 characters. */
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
  not_found: 'does not have what was asked for',
  unsupported: 'does not know this endpoint',
  rejected: 'refused the request',
  protocol: 'answered with something that is not the PBS API',
}

const nextStep: Record<PbsFailureReason, string> = {
  unreachable: 'Check host and port, the network and that proxmox-backup-proxy runs.',
  timeout:
    'Check the load of the server and the disks of its datastores, or raise the timeout of its endpoint; systemctl restart proxmox-backup-proxy ends requests that hang.',
  tls_fingerprint_mismatch:
    'If the certificate was renewed, compare the fingerprint with the dashboard of the server and pin the new one; otherwise somebody may be in between.',
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
    const seen = this.fingerprints === undefined ? '' : ` (${shown(this.fingerprints)})`
    const http = this.status === undefined ? '' : ` (HTTP ${this.status})`
    return `PBS ${this.server} ${summary[this.reason]}${http} for ${this.endpoint}${seen}${text}. ${nextStep[this.reason]}`
  }
}

const shown = ({ expected, presented }: NonNullable<PbsFailure['fingerprints']>): string =>
  expected === null ? `presented ${presented}` : `expected ${expected}, presented ${presented}`

/** Every error of this client. */
export type PbsError = PbsRequestFailed
