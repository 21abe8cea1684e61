import { choiceFor, registry } from '@netbox-pbs/core'
import { Badge } from '../components/badge.tsx'
import { Time } from '../components/time.tsx'
import type { Presentation } from './presentation.ts'

const { status: statusField, tls_state: tlsField, endpoint_state: endpointField } = registry.server.fields

/** How pages show servers. */
export const serverPresentation: Presentation<'server'> = {
  columns: ['name', 'host', 'status', 'version', 'last_seen_at'],
  title: 'name',
  fields: {
    name: { kind: 'name' },
    host: { kind: 'name' },
    version: { kind: 'name' },
    last_seen_at: { head: 'Last read' },
    status: {
      kind: 'prose',
      // TLS and endpoint are told where they are not as they should be: two green badges next to a red one say nothing.
      cell: ({
        status,
        status_since: since,
        last_error: error,
        consecutive_failures: failures,
        tls_state,
        endpoint_state,
      }) => {
        const { value, label, color } = choiceFor(statusField.choices, String(status))
        const failed = typeof failures === 'number' && failures > 0 && error !== ''
        const tls = choiceFor(tlsField.choices, String(tls_state))
        const endpoint = choiceFor(endpointField.choices, String(endpoint_state))
        return (
          <>
            {/* One that answers and refuses is no good news either. */}
            <Badge color={failed && value === 'reachable' ? 'orange' : color} label={label} />
            {failed ? (
              <>
                {' '}
                {failures === 1 ? 'the last run failed' : `the last ${failures} runs failed`}: {String(error)}
              </>
            ) : null}
            {value === 'unreachable' && typeof since === 'string' ? (
              <span class="text-secondary">
                {' '}
                for <Time time={since} form="length" />
              </span>
            ) : null}
            {tls.value === 'ok' || tls.value === 'unknown' ? null : (
              <>
                {' '}
                <Badge color={tls.color} label={tls.label} />
              </>
            )}
            {endpoint.value === 'connected' ? null : (
              <>
                {' '}
                <Badge color={endpoint.color} label={endpoint.label} />
              </>
            )}
          </>
        )
      },
    },
    latency_ms: { head: 'Latency', cell: ({ latency_ms: ms }) => (typeof ms === 'number' ? `${ms} ms` : undefined) },
    clock_offset_seconds: { head: 'Clock off by' },
  },
  technical: [
    'endpoint_id',
    'endpoint_state',
    'fingerprint',
    'presented_fingerprint',
    'last_error_code',
    'consecutive_failures',
  ],
  filters: ['status', 'tls_state', 'endpoint_state', 'version'],
}
