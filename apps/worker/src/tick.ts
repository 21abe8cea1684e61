import { Queue, type StoreFailed } from '@netbox-pbs/core/ports'
import type { JobPorts } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'
import { type JobLimits, workOn } from './work-on.ts'

/** Which job to take, and how long it may take. */
export interface TickOptions extends JobLimits {
  /** Ids of servers whose jobs are left to others for a while. */
  readonly avoid?: ReadonlyArray<number>
  /** Called with the id of the server of the job that was taken; null is the gateway. */
  readonly onTaken?: (serverId: number | null) => Effect.Effect<void>
}

/** Takes one job, if there is one, and works on it to its end. False when there was nothing to do. */
export const tickWith = ({
  avoid = [],
  onTaken = () => Effect.void,
  ...limits
}: TickOptions): Effect.Effect<boolean, StoreFailed, JobPorts> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // An interrupted claim may still have taken the job, and no worker would run it.
      const claimed = yield* (yield* Queue).claim({ avoid })
      if (Option.isNone(claimed)) return false
      yield* onTaken(claimed.value.job.serverId)
      yield* restore(workOn(claimed.value, limits))
      return true
    }),
  ).pipe(Effect.withSpan('worker.tick'))

/** The same for any job, within the limits that are usual. */
export const tick: Effect.Effect<boolean, StoreFailed, JobPorts> = tickWith({})
