import { Queue } from '@netbox-pbs/core/ports'
import { runJob, startRun } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'

export const syncOnce = Effect.gen(function* () {
  const queue = yield* Queue
  yield* startRun({ resources: ['servers'], servers: null, trigger: 'manual', user: 'admin' })
  const claimed = yield* queue.claim()
  if (Option.isNone(claimed)) return null
  const outcome = yield* runJob(claimed.value)
  if (outcome._tag === 'done') yield* queue.complete(claimed.value)
  if (outcome._tag === 'retry') yield* queue.retry(claimed.value, outcome.reason)
  return outcome
})
