import { type Run, runAllows } from '@netbox-pbs/core'
import { type Branches, Queue, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { endJob } from './end-job.ts'
import { logRun } from './log-run.ts'

/**
 * Cancels a run: jobs that wait never begin, and those that are worked on stop at once, also when their source is silent. Gives the run as it then is; one that had ended
 * stays as it ended. None: there is no such run.
 */
export const cancelRun = Effect.fn('sync.cancelRun')(function* ({
  id,
}: {
  readonly id: number
}): Effect.fn.Return<Option.Option<Run>, StoreFailed, Branches | Queue | Runs | SettingsStore> {
  const runs = yield* Runs
  const before = yield* runs.get({ id })
  const after = yield* runs.requestCancel({ id })
  // One whose jobs have started ends, and is logged, with the last of them.
  if (Option.isSome(after) && isOver(after) && !isOver(before)) yield* logRun(after.value)
  const waiting = yield* (yield* Queue).drop({ runId: id })
  yield* Effect.forEach(waiting, (serverId) => endJob({ id, serverId, error: null }), { discard: true })
  return yield* runs.get({ id })
})

const isOver = (run: Option.Option<Run>): boolean => Option.exists(run, (known) => !runAllows(known, 'cancel'))
