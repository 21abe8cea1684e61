import { type Run, runAllows } from '@netbox-pbs/core'
import { type Branches, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { finishBranches } from '../branches/finish-branches.ts'
import { logRun } from './log-run.ts'

/**
 * Ends a run whose jobs have ended: what it has staged is merged, or left for review, and only then is it over, so that who sees its end sees what it did. What cannot be settled waits in
 * its branch, and the run says so. To be called again after a crash.
 */
export const endRun = Effect.fn('sync.endRun')(function* ({
  id,
}: Pick<Run, 'id'>): Effect.fn.Return<Run, StoreFailed, Branches | Runs | SettingsStore> {
  const runs = yield* Runs
  const found = yield* runs.get({ id })
  if (Option.isSome(found) && !runAllows(found.value, 'work')) return found.value
  const error = yield* finishBranches(id).pipe(
    Effect.as(null),
    Effect.catchAll((failure) => (failure.passes ? failure : Effect.succeed(unfinishedBranch(failure.message)))),
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError('internal error in a branch', defect), unfinishedBranch(bug)),
    ),
  )
  const run = yield* runs.end({ id, error })
  yield* logRun(run)
  return run
})

const unfinishedBranch = (why: string): string => `what it staged waits in its branch: ${why}`

/** What a run says of a bug: the rest is for the log alone. */
export const bug = "internal error; see the worker's log"
