import { formatDay } from '@netbox-pbs/core'
import { RequestCosts, type SourceCost, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import type { Job } from '../scopes/scope-work.ts'

/** Records what a stream of a job has cost the servers, on the day on which it ended. */
export const recordCosts = (
  { runId, serverId }: Pick<Job, 'runId' | 'serverId'>,
  costs: ReadonlyArray<SourceCost>,
): Effect.Effect<void, StoreFailed, RequestCosts> =>
  costs.length === 0
    ? Effect.void
    : Effect.gen(function* () {
        const day = formatDay(yield* Clock.currentTimeMillis)
        yield* (yield* RequestCosts).record({ runId, serverId, day, costs })
      })
