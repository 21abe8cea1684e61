import type { Run } from '@netbox-pbs/core'
import { type Branches, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { settleBranches } from '../branches/settle-branches.ts'

/** Ends a job. With the last one of a run, what the run has staged is merged, or left for review. */
export const endJob = Effect.fn('sync.endJob')(function* (
  end: Parameters<Runs['Type']['endJob']>[0],
): Effect.fn.Return<Run, StoreFailed, Branches | Runs | SettingsStore> {
  const run = yield* (yield* Runs).endJob(end)
  if (run.completed !== null) yield* settleBranches(run.id)
  return run
})
