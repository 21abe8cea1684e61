import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { PbsError } from '@netbox-pbs/pbs-client'
import type { EndpointTestOut } from '@netbox-pbs/proxbox-client/contract'
import { Effect, type Redacted } from 'effect'
import { connectionOf, Fleet } from '../fleet/fleet.ts'

import { aclCommands, gapTitle, inventoryGaps } from '../permissions/gaps.ts'
import { mayListAny, type Permissions } from '../permissions/permissions.ts'
import { scopeFailure } from '../scopes/scope-failed.ts'

/**
 * Tries an endpoint and stores nothing: who answers, with which certificate, whether the token
 * works, and which privileges it lacks for a full inventory. A certificate that is not the pinned
 * one is reported, and nothing is sent to it. A token to which no datastore is listed is an error.
 */
export const probeEndpoint = (
  endpoint: Omit<StoredEndpoint, 'id'>,
  secret: Redacted.Redacted<string>,
): Effect.Effect<EndpointTestOut, never, Fleet> =>
  Effect.gen(function* () {
    const client = yield* (yield* Fleet).client(connectionOf(endpoint, secret))
    const probe = yield* client.probe()
    const seen = { presented_fingerprint: probe.presentedFingerprint }
    // The token or the certificate is refused, yet somebody answers.
    const reachable = probe.version !== null || probe.failure?.status !== undefined
    if (probe.version === null) {
      return { ...unknown, reachable, ...(probe.failure === null ? {} : failed(probe.failure)), ...seen }
    }
    const version = [probe.version.version, probe.version.release]
      .filter((part) => part !== null && part !== '')
      .join('.')
    return yield* client.permissions().pipe(
      Effect.match({
        onFailure: (error) => ({ ...unknown, reachable, version, ...failed(error), ...seen }),
        onSuccess: (permissions) => ({ reachable, version, ...judged(permissions, endpoint), ...seen }),
      }),
    )
  }).pipe(
    Effect.catchAll((error) => Effect.succeed({ ...unknown, ...failed(error) })),
    Effect.scoped,
  )

const unknown: EndpointTestOut = {
  reachable: false,
  version: null,
  code: null,
  error: null,
  presented_fingerprint: null,
  missing_privileges: [],
  acl_commands: [],
}

const failed = (error: PbsError) => ({ code: scopeFailure(error).code, error: error.message })

/** What the privileges of a token that works are worth. */
const judged = (permissions: Permissions, { name, token_id }: Pick<StoredEndpoint, 'name' | 'token_id'>) => {
  const gaps = inventoryGaps(permissions)
  const lists = mayListAny(permissions)
  return {
    code: lists ? null : ('forbidden' as const),
    error: lists
      ? null
      : `${name} lists no datastore to the token ${token_id}. Grant the role Audit on / to both the token and its user.`,
    missing_privileges: gaps.map(gapTitle),
    acl_commands: [...aclCommands(gaps, token_id)],
  }
}
