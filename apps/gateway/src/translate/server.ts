import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { ServerFrame } from '@netbox-pbs/proxbox-client/contract'

/** What a server said of itself, or null when it did not answer. */
export interface ServerAnswer {
  /** `4.2` */
  readonly version: string
  /** The patch level: `3`. */
  readonly release: string | null
  /** Null when only the clock did not answer. */
  readonly timezone: string | null
  /** When it answered, RFC 3339. */
  readonly at: string
}

/** A server: its endpoint, and what it answered. */
export const serverFrame = (endpoint: StoredEndpoint, answer: ServerAnswer | null): ServerFrame => ({
  frame: 'server',
  server: endpoint.name,
  name: endpoint.name,
  host: endpoint.host,
  port: endpoint.port,
  token_id: endpoint.token_id,
  fingerprint: endpoint.fingerprint ?? '',
  verify_ssl: endpoint.verify_ssl,
  version: answer === null ? null : fullVersion(answer),
  timezone: answer?.timezone ?? null,
  endpoint_id: endpoint.id,
  observed: { status: answer === null ? 'unreachable' : 'reachable', last_seen_at: answer?.at ?? null },
})

/** `4.2.3`: PBS keeps the patch level apart. */
const fullVersion = ({ version, release }: ServerAnswer): string =>
  (release ?? '') === '' ? version : `${version}.${release}`
