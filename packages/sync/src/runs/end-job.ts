import type { Run } from '@netbox-pbs/core'
import { type Branches, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { endRun } from './end-run.ts'

/** Ends a job, and with the last one its run. */
export const endJob = Effect.fn('sync.endJob')(function* (
  end: Parameters<Runs['Type']['endJob']>[0],
): Effect.fn.Return<Run, StoreFailed, Branches | Runs | SettingsStore> {
  const { run, jobsLeft } = yield* (yield* Runs).endJob(end)
  return jobsLeft ? run : yield* endRun(run)
})
