import type { Change, HoldReason, ModelName, Scope } from '@netbox-pbs/core'
import { ChangeSets } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Job, JobStopped } from './scope-work.ts'

/** Rows of one append: a short transaction, and a bound on memory. */
export const batchRows = 2000

/** Appends changes in bounded parts. `held`: their deletions wait whatever the landing says. */
export const appendChanges = Effect.fn('sync.appendChanges')(function* <M extends ModelName>(
  job: Job,
  scope: Scope,
  model: M,
  changes: ReadonlyArray<Change<M>>,
  held: HoldReason | null = null,
): Effect.fn.Return<void, JobStopped, ChangeSets> {
  const changeSets = yield* ChangeSets
  for (let start = 0; start < changes.length; start += batchRows) {
    const part = changes.slice(start, start + batchRows)
    yield* changeSets.append({
      changeSet: job.changeSet,
      scope,
      model,
      changes: part,
      ...(held === null ? {} : { held }),
    })
  }
})
