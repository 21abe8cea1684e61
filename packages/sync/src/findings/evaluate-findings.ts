import { Findings, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { clockSkewMillis } from '../schedule/due-servers.ts'

/** From one evaluation to the next where no run ends, in seconds. */
const everySeconds = 60

/**
 * Judges everything as soon as a run has ended, and once a minute by the clock, in one process at a
 * time. To be called often by every worker.
 */
export const evaluateFindings: Effect.Effect<void, StoreFailed, Findings> = Effect.gen(function* () {
  const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const counts = yield* (yield* Findings).evaluate({
    now,
    every: everySeconds,
    latest: now + clockSkewMillis / 1000,
    afterRuns: true,
    byWorker: true,
  })
  if (Option.isNone(counts) || counts.value.opened + counts.value.closed === 0) return
  yield* Effect.annotateLogs(Effect.logInfo('findings were opened or closed'), { ...counts.value })
}).pipe(Effect.withSpan('sync.evaluateFindings'))
