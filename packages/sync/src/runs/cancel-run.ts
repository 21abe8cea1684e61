import type { Run } from '@netbox-pbs/core'
import { type Branches, Queue, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, type Option } from 'effect'
import { endJob } from './end-job.ts'

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
  yield* runs.requestCancel({ id })
  const waiting = yield* (yield* Queue).drop({ runId: id })
  yield* Effect.forEach(waiting, (server) => endJob({ id, server, error: null }), { discard: true })
  return yield* runs.get({ id })
})
