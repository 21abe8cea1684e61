import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { EndpointTestOut } from '@netbox-pbs/proxbox-client/contract'
import { Effect, type Redacted } from 'effect'
import { connectionOf, Fleet } from '../fleet/fleet.ts'
import { missingPrivileges } from '../permissions/gaps.ts'

/**
 * Tries an endpoint and stores nothing: who answers, with which certificate, whether the token works, and which
 * privileges it lacks for a full inventory. A certificate that is not the pinned one is reported, and nothing is sent to it.
 */
export const testEndpoint = (
  endpoint: Omit<StoredEndpoint, 'id'>,
  secret: Redacted.Redacted<string>,
): Effect.Effect<EndpointTestOut, never, Fleet> =>
  Effect.gen(function* () {
    const client = yield* (yield* Fleet).client(connectionOf(endpoint, secret))
    const probe = yield* client.probe()
    const seen = { presented_fingerprint: probe.presentedFingerprint }
    if (probe.version === null) {
      return {
        // The token or the certificate is refused, yet somebody answers.
        reachable: probe.failure?.status !== undefined,
        version: null,
        error: probe.failure?.message ?? null,
        ...seen,
        missing_privileges: [],
      }
    }
    const version = [probe.version.version, probe.version.release]
      .filter((part) => part !== null && part !== '')
      .join('.')
    return yield* client.permissions().pipe(
      Effect.match({
        onFailure: ({ message }) => ({ reachable: true, version, error: message, ...seen, missing_privileges: [] }),
        onSuccess: (permissions) => ({
          reachable: true,
          version,
          error: null,
          ...seen,
          missing_privileges: [...missingPrivileges(permissions)],
        }),
      }),
    )
  }).pipe(
    Effect.catchAll(({ message }) =>
      Effect.succeed({
        reachable: false,
        version: null,
        error: message,
        presented_fingerprint: null,
        missing_privileges: [],
      }),
    ),
    Effect.scoped,
  )
