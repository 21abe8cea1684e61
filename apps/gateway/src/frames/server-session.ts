import { concernsServer } from '@netbox-pbs/core'
import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import { Effect, Option, Ref } from 'effect'
import type { PbsReader } from '../fleet/pbs-reader.ts'
import type { Permissions } from '../permissions/permissions.ts'
import type { ScopeFailed } from './scope-failed.ts'

/** One server during one request. */
export interface ServerSession {
  readonly endpoint: StoredEndpoint
  readonly pbs: PbsReader
  /** The caller's permissions as they were before a list is read: the last ones known, else read now. */
  readonly permissionsBefore: Effect.Effect<Permissions, ScopeFailed>
  /** The caller's permissions, read now. */
  readonly permissionsNow: Effect.Effect<Permissions, ScopeFailed>
  /** After a failure that concerns the whole server, the next scope asks for the permissions anew before it lists. */
  readonly noteFailure: (failure: ScopeFailed) => Effect.Effect<void>
}

/**
 * Opens a session. Permissions are the smallest thing a PBS can be asked: when they cannot be read because the server is
 * the trouble, the remaining scopes of the request fail with that and do not each wait for a timeout of their own.
 */
export const openSession = (endpoint: StoredEndpoint, pbs: PbsReader): Effect.Effect<ServerSession> =>
  Effect.gen(function* () {
    const known = yield* Ref.make<Option.Option<Permissions>>(Option.none())
    const gone = yield* Ref.make<Option.Option<ScopeFailed>>(Option.none())
    const oneAtATime = yield* Effect.makeSemaphore(1)
    const forget = Ref.set(known, Option.none())

    const permissionsNow = pbs.permissions.pipe(
      Effect.tap((permissions) => Ref.set(known, Option.some(permissions))),
      Effect.tapError((failure) =>
        Effect.zipRight(forget, concernsServer(failure.code) ? Ref.set(gone, Option.some(failure)) : Effect.void),
      ),
    )
    const permissionsBefore = Effect.gen(function* () {
      const failure = yield* Ref.get(gone)
      if (Option.isSome(failure)) return yield* failure.value
      const permissions = yield* Ref.get(known)
      return Option.isSome(permissions) ? permissions.value : yield* permissionsNow
    }).pipe(oneAtATime.withPermits(1))

    return {
      endpoint,
      pbs,
      permissionsBefore,
      permissionsNow,
      noteFailure: (failure) => (concernsServer(failure.code) ? forget : Effect.void),
    }
  })
