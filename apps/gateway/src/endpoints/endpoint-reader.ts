import { formatTimestamp } from '@netbox-pbs/core'
import { EndpointStore, type StoredEndpoint, type StoreFailed } from '@netbox-pbs/core/ports'
import { endpointPageLimit } from '@netbox-pbs/proxbox-client/contract'
import { Clock, Effect, Option, type Scope } from 'effect'
import { Fleet } from '../fleet/fleet.ts'
import type { PbsReader } from '../fleet/pbs-reader.ts'
import { ScopeFailed } from '../scopes/scope-failed.ts'

/** The endpoints that are enabled, by name. */
export const enabledEndpoints: Effect.Effect<ReadonlyArray<StoredEndpoint>, StoreFailed, EndpointStore> = Effect.gen(
  function* () {
    const store = yield* EndpointStore
    const endpoints: Array<StoredEndpoint> = []
    for (let offset = 0; ; offset += endpointPageLimit) {
      const page = yield* store.list({ limit: endpointPageLimit, offset })
      endpoints.push(...page.filter(({ enabled }) => enabled))
      if (page.length < endpointPageLimit) return endpoints.sort((a, b) => (a.name < b.name ? -1 : 1))
    }
  },
)

/** The reader of an endpoint; a stored secret that cannot be opened fails that endpoint alone. */
export const endpointReader = (
  endpoint: StoredEndpoint,
  run: string | undefined,
): Effect.Effect<PbsReader, ScopeFailed, Fleet | Scope.Scope> =>
  Effect.gen(function* () {
    const reader = yield* (yield* Fleet).reader(endpoint, run)
    if (Option.isSome(reader)) return reader.value
    return yield* noSecret(`endpoint ${endpoint.name} was removed during the request`)
  }).pipe(
    Effect.catchTags({
      SecretUnreadable: (error) => noSecret(error.message, error),
      StoreFailed: (error: StoreFailed) =>
        new ScopeFailed({ code: 'unreachable', message: error.message, retryable: true, cause: error }),
    }),
  )

/** No request was sent, so this is no failure of the server. */
const noSecret = (message: string, cause?: unknown) =>
  new ScopeFailed({ code: 'unreachable', message, retryable: false, cause })

/** The answer of a server that was contacted. */
export interface ServerAnswer {
  /** `4.2` */
  readonly version: string
  /** The patch level: `3`. */
  readonly release: string | null
  /** Null when only the clock did not answer. */
  readonly timezone: string | null
  /** How far its clock is ahead of ours; null when it did not answer, or with a time that no clock has. */
  readonly clockOffsetSeconds: number | null
  /** How long the request for the version took, in milliseconds. */
  readonly latencyMs: number
  /** When it answered, RFC 3339. */
  readonly at: string
}

/** Asks a server for its version, and for the time zone of its schedules. */
export const contactServer = (
  endpoint: StoredEndpoint,
  run: string | undefined,
): Effect.Effect<ServerAnswer, ScopeFailed, Fleet> =>
  Effect.scoped(
    Effect.gen(function* () {
      const pbs = yield* endpointReader(endpoint, run)
      const { version, release, latencyMs } = yield* pbs.version
      const time = yield* Effect.orElseSucceed(pbs.time, () => null)
      const timezone = time?.timezone ?? null
      const clockOffsetSeconds = time?.offsetSeconds ?? null
      const now = yield* Clock.currentTimeMillis
      return {
        version,
        release,
        timezone,
        clockOffsetSeconds,
        latencyMs,
        at: formatTimestamp(Math.floor(now / 1000) * 1000),
      }
    }),
  )
