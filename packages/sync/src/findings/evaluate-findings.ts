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

/** How old the last evaluation must be before an API judges in the place of the workers, in seconds. */
const silentSeconds = 3 * everySeconds

/**
 * Judges in the place of workers that no longer do, so that their silence is found. It never ends, and
 * does nothing before a worker has judged for the first time.
 */
export const watchFindings: Effect.Effect<never, never, Findings> = Effect.gen(function* () {
  yield* Effect.sleep(`${everySeconds} seconds`)
  const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  yield* (yield* Findings).evaluate({
    now,
    every: silentSeconds,
    latest: now + clockSkewMillis / 1000,
    afterRuns: false,
    byWorker: false,
  })
}).pipe(
  Effect.catchAll(({ message }) => Effect.logWarning('the findings could not be judged', message)),
  Effect.catchAllDefect((defect) => Effect.logError('internal error in the judgement of findings', defect)),
  Effect.forever,
)
