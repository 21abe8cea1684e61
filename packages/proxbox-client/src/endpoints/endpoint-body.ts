import type { Endpoint, EndpointInput } from '@netbox-pbs/core/ports'
import { Redacted } from 'effect'
import type { EndpointOut } from '../contract/endpoint.ts'

/** What goes to the gateway: the secret opened, an empty fingerprint as null. Made when the request is sent, kept nowhere. */
export function endpointBody(endpoint: Partial<EndpointInput>): Readonly<Record<string, unknown>> {
  const { token_secret, fingerprint, name, host, port, token_id, verify_ssl, timeout_seconds } = endpoint
  return {
    name,
    host,
    port,
    token_id,
    token_secret: token_secret === undefined ? undefined : Redacted.value(token_secret),
    fingerprint: fingerprint === '' ? null : fingerprint,
    verify_ssl,
    timeout_seconds,
  }
}

/** An endpoint in core's words: no fingerprint is the empty text. */
export function endpointOf(out: EndpointOut): Endpoint {
  const { fingerprint, allow_writes: _, ...endpoint } = out
  return { ...endpoint, fingerprint: fingerprint ?? '' }
}

/** What must not appear in a message about this endpoint. */
export const secretsOf = ({ token_secret }: Partial<EndpointInput>): ReadonlyArray<Redacted.Redacted<string>> =>
  token_secret === undefined ? [] : [token_secret]
