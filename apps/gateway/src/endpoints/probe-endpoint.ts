import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import { isReadable, type PbsClient, type PbsError } from '@netbox-pbs/pbs-client'
import type { EndpointTestOut } from '@netbox-pbs/proxbox-client/contract'
import { Effect, type Redacted } from 'effect'
import { connectionOf, Fleet } from '../fleet/fleet.ts'

import { excessOf, type RoleEntry, tokenWarning } from '../permissions/excess.ts'
import { aclCommands, gapTitle, inventoryGaps } from '../permissions/gaps.ts'
import { mayListAny, type Permissions, readsAcl } from '../permissions/permissions.ts'
import { scopeFailure } from '../scopes/scope-failed.ts'

/**
 * Tests an endpoint and stores nothing: its answer, its certificate, its token, and the privileges
 * that a full inventory needs and the token lacks. To a server with another certificate than the
 * pinned one it sends nothing; a token that lists no datastore is an error.
 */
export const probeEndpoint = (
  endpoint: Omit<StoredEndpoint, 'id'>,
  secret: Redacted.Redacted<string>,
): Effect.Effect<EndpointTestOut, never, Fleet> =>
  Effect.gen(function* () {
    const client = yield* (yield* Fleet).client(connectionOf(endpoint, secret))
    const probe = yield* client.probe()
    const seen = { presented_fingerprint: probe.presentedFingerprint }
    // A refused token or an error status also proves that the server answers.
    const reachable = probe.version !== null || probe.failure?.status !== undefined
    if (probe.version === null) {
      return { ...unknown, reachable, ...(probe.failure === null ? {} : failed(probe.failure)), ...seen }
    }
    const version = [probe.version.version, probe.version.release]
      .filter((part) => part !== null && part !== '')
      .join('.')
    return yield* client.permissions().pipe(
      Effect.flatMap((permissions) => Effect.map(roleEntries(client, permissions), (acl) => ({ permissions, acl }))),
      Effect.match({
        onFailure: (error) => ({ ...unknown, reachable, version, ...failed(error), ...seen }),
        onSuccess: ({ permissions, acl }) => ({
          reachable,
          version,
          ...judged(permissions, endpoint),
          token_warning: tokenWarning(permissions, acl, endpoint.token_id),
          ...seen,
        }),
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
  token_warning: null,
}

/** The access control list, read only to say how to reduce a token; null where it cannot be read. */
const roleEntries = (
  client: Pick<PbsClient, 'acl'>,
  permissions: Permissions,
): Effect.Effect<ReadonlyArray<RoleEntry> | null> =>
  excessOf(permissions).length === 0 || !readsAcl(permissions)
    ? Effect.succeed(null)
    : client.acl().pipe(
        Effect.map((rows) => rows.filter(isReadable)),
        Effect.orElseSucceed(() => null),
      )

const failed = (error: PbsError) => ({ code: scopeFailure(error).code, error: error.message })

/** Rates the privileges of a working token. */
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
