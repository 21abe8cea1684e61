import { concernsServer } from '@netbox-pbs/core'
import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import { Effect, Either, Option, Ref } from 'effect'
import type { PbsReader } from '../fleet/pbs-reader.ts'
import type { Permissions } from '../permissions/permissions.ts'
import { ScopeFailed } from './scope-failed.ts'

/** One server during one request. */
export interface ServerSession {
  readonly endpoint: StoredEndpoint
  readonly pbs: PbsReader
  /** Fails when the request may send no more: no scope is begun then. */
  readonly mayBegin: Effect.Effect<void, ScopeFailed>
  /** The caller's permissions before a list is read: the last ones known, else read now. */
  readonly permissionsBefore: Effect.Effect<Permissions, ScopeFailed>
  /** The caller's permissions, read now. */
  readonly permissionsNow: Effect.Effect<Permissions, ScopeFailed>
  /**
   * Whether the server still answers after a list failed. If the failure may be the server's, its
   * permissions are read once more: success means that only this list fails (true) and all others
   * are still requested.
   */
  readonly stillAnswers: (failure: ScopeFailed) => Effect.Effect<boolean>
}

/**
 * Opens a session. Permissions are the smallest request to a PBS: when they cannot be read because of the server, the
 * remaining scopes fail with that error at once instead of waiting for a timeout each.
 *
 * @param mostRequests - After so many no scope is begun; one that has begun is read to its end.
 */
export const openSession = (
  endpoint: StoredEndpoint,
  pbs: PbsReader,
  mostRequests = Number.POSITIVE_INFINITY,
): Effect.Effect<ServerSession> =>
  Effect.gen(function* () {
    const known = yield* Ref.make<Option.Option<Permissions>>(Option.none())
    const serverFailed = yield* Ref.make<Option.Option<ScopeFailed>>(Option.none())
    const oneAtATime = yield* Effect.makeSemaphore(1)
    const discard = Ref.set(known, Option.none())

    const permissionsNow = pbs.permissions.pipe(
      Effect.tap((permissions) => Ref.set(known, Option.some(permissions))),
      Effect.tapError((failure) =>
        Effect.zipRight(
          discard,
          concernsServer(failure.code) ? Ref.set(serverFailed, Option.some(failure)) : Effect.void,
        ),
      ),
    )
    const permissionsBefore = Effect.gen(function* () {
      const failure = yield* Ref.get(serverFailed)
      if (Option.isSome(failure)) return yield* failure.value
      const permissions = yield* Ref.get(known)
      return Option.isSome(permissions) ? permissions.value : yield* permissionsNow
    }).pipe(oneAtATime.withPermits(1))

    return {
      endpoint,
      pbs,
      mayBegin: Effect.suspend(() => (pbs.requestsSent() < mostRequests ? Effect.void : limitReached(mostRequests))),
      permissionsBefore,
      permissionsNow,
      stillAnswers: (failure) =>
        Effect.gen(function* () {
          if (!mayBeOfOneList.has(failure.code) || Option.isSome(yield* Ref.get(serverFailed))) {
            if (concernsServer(failure.code)) yield* discard
            return false
          }
          return Either.isRight(yield* Effect.either(permissionsNow))
        }).pipe(oneAtATime.withPermits(1)),
    }
  })

const limitReached = (mostRequests: number) =>
  new ScopeFailed({
    code: 'request_limit',
    message: `not asked for: the ${mostRequests} requests that most_requests allows are made`,
    retryable: false,
  })

/** A list may hang, break off or be refused while the server is well; a certificate is the server's own. */
const mayBeOfOneList: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'unauthorized'])
