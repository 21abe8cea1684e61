import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import type { Fleet } from '../fleet/fleet.ts'
import type { ScopeFailed } from '../frames/scope-failed.ts'
import { datetimeOf } from '../translate/datetime.ts'
import type { ServerAnswer } from '../translate/server.ts'
import { endpointReader } from './endpoint-reader.ts'

/** Asks a server who it is: its version, and the time zone its schedules are in. */
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
      return { version, release, timezone, latencyMs, at: datetimeOf(now / 1000) ?? '' }
    }),
  )
