import type { Change, HoldReason, ModelName, Scope, Sightings } from '@netbox-pbs/core'
import { type Appended, ChangeSets, type SightedModel } from '@netbox-pbs/core/ports'
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

/** Appends which rows of a scope are absent from now on, and which are listed again. Gives how many there are. */
export const appendSightings = Effect.fn('sync.appendSightings')(function* <M extends SightedModel>(
  { changeSet }: Job,
  scope: Scope,
  model: M,
  sightings: Sightings,
): Effect.fn.Return<number, JobStopped, ChangeSets> {
  const rows = sightings.noted.length + sightings.returned.length
  const part = { changeSet, scope, model, changes: [], sightings } as unknown as Appended<M> // border: each sighted model has sightings
  if (rows > 0) yield* (yield* ChangeSets).append(part)
  return rows
})
