import type { StoredEndpoint, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, type Scope } from 'effect'
import { Fleet } from '../fleet/fleet.ts'
import type { PbsReader } from '../fleet/pbs-reader.ts'
import { ScopeFailed } from '../scopes/scope-failed.ts'

/** The reader of an endpoint; a stored secret that cannot be opened fails that endpoint alone. */
export const endpointReader = (
  endpoint: StoredEndpoint,
  run: string | undefined,
): Effect.Effect<PbsReader, ScopeFailed, Fleet | Scope.Scope> =>
  Effect.gen(function* () {
    const reader = yield* (yield* Fleet).reader(endpoint, run)
    if (Option.isSome(reader)) return reader.value
    return yield* noSecret(`endpoint ${endpoint.name} was removed meanwhile`)
  }).pipe(
    Effect.catchTags({
      SecretUnreadable: (error) => noSecret(error.message, error),
      StoreFailed: (error: StoreFailed) =>
        new ScopeFailed({ code: 'unreachable', message: error.message, retryable: true, cause: error }),
    }),
  )

/** Nothing was asked of the server, so it is not said to have refused. */
const noSecret = (message: string, cause?: unknown) =>
  new ScopeFailed({ code: 'unreachable', message, retryable: false, cause })
