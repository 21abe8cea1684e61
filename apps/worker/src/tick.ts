import { Queue, type StoreFailed } from '@netbox-pbs/core/ports'
import type { JobPorts } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'
import { workOn } from './work-on.ts'

/** Takes one job, if there is one, and works on it to its end. False when there was nothing to do. */
export const tick: Effect.Effect<boolean, StoreFailed, JobPorts> = Effect.uninterruptibleMask((restore) =>
  Effect.gen(function* () {
    // A claim that is interrupted may have been made all the same, and nobody would work on it.
    const claimed = yield* (yield* Queue).claim()
    if (Option.isNone(claimed)) return false
    yield* restore(workOn(claimed.value))
    return true
  }),
).pipe(Effect.withSpan('worker.tick'))
