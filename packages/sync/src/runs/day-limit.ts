import { formatDay, formatTimestamp, type Reason } from '@netbox-pbs/core'
import { RequestCosts, type SourceErrorCode, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import type { ServerJob } from '../scopes/scope-work.ts'

/** The code of scopes that the ceiling of a day left out. */
export const requestLimit = 'request_limit' satisfies SourceErrorCode

const dayMillis = 86_400_000

/** More than one, because a clock that was ahead may have written later days. */
const daysLookedAt = 7

/** Requests that the ceiling still allows to the server of a job today; null: there is no ceiling. */
export const requestsLeft = Effect.fn('sync.requestsLeft')(function* ({
  serverId,
  requestsPerDay,
}: Pick<ServerJob, 'serverId' | 'requestsPerDay'>): Effect.fn.Return<number | null, StoreFailed, RequestCosts> {
  if (requestsPerDay === 0) return null
  const today = formatDay(yield* Clock.currentTimeMillis)
  const { rows } = yield* (yield* RequestCosts).days({ serverId, limit: daysLookedAt, offset: 0 })
  const spent = rows.find(({ day }) => day === today)?.requests ?? 0
  return Math.max(0, requestsPerDay - spent)
})

/** The servers, by id, that may not be asked any more today. */
export const serversAtLimit = (
  requestsPerDay: number,
): Effect.Effect<ReadonlySet<number>, StoreFailed, RequestCosts> =>
  requestsPerDay === 0
    ? Effect.succeed(new Set())
    : Effect.gen(function* () {
        const day = formatDay(yield* Clock.currentTimeMillis)
        return yield* (yield* RequestCosts).reached({ day, requests: requestsPerDay })
      })

/** Why a scope is left out: the setting, and when the server is asked again. */
export const limitReached = ({
  server,
  requestsPerDay,
}: Pick<ServerJob, 'server' | 'requestsPerDay'>): Effect.Effect<Reason> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const tomorrow = formatTimestamp((Math.floor(now / dayMillis) + 1) * dayMillis)
    const message = `not asked for: ${server} was sent the ${requestsPerDay} requests of this day that pbs_requests_per_day allows; it is asked again after ${tomorrow}, or when the setting is raised`
    return { code: requestLimit, message }
  })
