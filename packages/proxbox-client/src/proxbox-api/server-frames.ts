import { formatTimestamp } from '@netbox-pbs/core'
import type { SourceFrame } from '@netbox-pbs/core/ports'
import type { EndpointOut } from '../contract/endpoint.ts'
import type { StatusItem } from '../contract/summaries.ts'
import { boundedText } from '../http/bounded-text.ts'

/** What a proxbox-api says of its servers. */
export interface ProxboxServers {
  readonly endpoints: ReadonlyArray<EndpointOut>
  readonly status: ReadonlyArray<StatusItem>
  /** Milliseconds since 1970: when those that answered were seen. */
  readonly now: number
  /** What the operator should know of this source. */
  readonly warning: string
}

/** The whole stream of the servers scope. A disabled endpoint is left out, as the gateway does: its server becomes inventory only. */
export function serverFrames({ endpoints, status, now, warning }: ProxboxServers): ReadonlyArray<SourceFrame> {
  const scope = { resource: 'servers' } as const
  const enabled = endpoints.filter((endpoint) => endpoint.enabled)
  const statusById = new Map(status.map((item) => [item.endpoint_id, item]))
  return [
    { _tag: 'scope', scope },
    ...enabled.map((endpoint) => serverFrame(endpoint, statusById.get(endpoint.id), now)),
    { _tag: 'warning', scope, code: 'summaries_only', message: warning },
    { _tag: 'complete', scope, count: enabled.length, visibility: null },
    { _tag: 'end' },
  ]
}

function serverFrame(endpoint: EndpointOut, status: StatusItem | undefined, now: number): SourceFrame {
  const answered = status?.reachable === true
  return {
    _tag: 'server',
    facts: {
      name: endpoint.name,
      host: endpoint.host,
      port: endpoint.port,
      token_id: endpoint.token_id,
      fingerprint: endpoint.fingerprint ?? '',
      verify_ssl: endpoint.verify_ssl,
      timeout_seconds: Math.min(600, Math.max(1, endpoint.timeout_seconds)),
      version: answered ? status.version : null,
      // proxbox-api does not know it.
      timezone: null,
      endpoint_id: endpoint.id,
    },
    observed: {
      status: status === undefined ? 'unknown' : answered ? 'reachable' : 'unreachable',
      last_seen_at: answered ? formatTimestamp(now) : null,
      ...(status === undefined || answered
        ? {}
        : { error: { code: 'unreachable' as const, message: boundedText(status.reason ?? 'it did not answer') } }),
    },
  }
}
