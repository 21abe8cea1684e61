import { formatTimestamp } from '@netbox-pbs/core'
import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import type { Fleet } from '../fleet/fleet.ts'
import type { ScopeFailed } from '../scopes/scope-failed.ts'
import { endpointReader } from './endpoint-reader.ts'

/** The answer of a server that was contacted. */
export interface ServerAnswer {
  /** `4.2` */
  readonly version: string
  /** The patch level: `3`. */
  readonly release: string | null
  /** Null when only the clock did not answer. */
  readonly timezone: string | null
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
      const timezone = yield* pbs.time.pipe(
        Effect.map((time) => time.timezone),
        Effect.orElseSucceed(() => null),
      )
      const now = yield* Clock.currentTimeMillis
      return { version, release, timezone, latencyMs, at: formatTimestamp(Math.floor(now / 1000) * 1000) }
    }),
  )
