import { statusAfter } from '@netbox-pbs/core'
import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { ServerFrame } from '@netbox-pbs/proxbox-client/contract'
import { Either } from 'effect'
import { errorOf, type ScopeFailed } from '../frames/scope-failed.ts'

/** What a server said of itself. */
export interface ServerAnswer {
  /** `4.2` */
  readonly version: string
  /** The patch level: `3`. */
  readonly release: string | null
  /** Null when only the clock did not answer. */
  readonly timezone: string | null
  /** How long it took to say its version, in milliseconds. */
  readonly latencyMs: number
  /** When it answered, RFC 3339. */
  readonly at: string
}

/** A server: its endpoint, and what it answered or why it could not be used; null: it was not asked. */
export const serverFrame = (
  endpoint: StoredEndpoint,
  contact: Either.Either<ServerAnswer, ScopeFailed> | null,
): ServerFrame => {
  const answer = contact === null ? null : Either.getOrNull(contact)
  return {
    frame: 'server',
    server: endpoint.name,
    name: endpoint.name,
    host: endpoint.host,
    port: endpoint.port,
    token_id: endpoint.token_id,
    fingerprint: endpoint.fingerprint ?? '',
    verify_ssl: endpoint.verify_ssl,
    timeout_seconds: endpoint.timeout_seconds,
    version: answer === null ? null : fullVersion(answer),
    timezone: answer?.timezone ?? null,
    endpoint_id: endpoint.id,
    observed: {
      ...(contact === null ? notContacted : Either.match(contact, { onLeft: failed, onRight: answered })),
      tls_checked: endpoint.verify_ssl || (endpoint.fingerprint ?? '') !== '',
    },
  }
}

/** Says nothing of the server, so that what is known of it stays. */
const notContacted: ServerFrame['observed'] = { status: 'unknown', last_seen_at: null }

const answered = ({ at, latencyMs }: ServerAnswer): ServerFrame['observed'] => ({
  status: 'reachable',
  last_seen_at: at,
  latency_ms: latencyMs,
})

/** A server that refuses a request is reachable. */
const failed = (failure: ScopeFailed): ServerFrame['observed'] => ({
  status: statusAfter(failure.code),
  last_seen_at: null,
  error: errorOf(failure),
})

/** `4.2.3`: PBS keeps the patch level apart. */
const fullVersion = ({ version, release }: ServerAnswer): string =>
  (release ?? '') === '' ? version : `${version}.${release}`
