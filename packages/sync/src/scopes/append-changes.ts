import type { Change, Delete, HoldReason, ModelName, Scope, Sightings, Warning } from '@netbox-pbs/core'
import { type Appended, ChangeSets, type SightedModel, type WaitingGroup } from '@netbox-pbs/core/ports'
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

/** Counts what a scope's diffs said, in constant memory. */
export class ChangeTally {
  /** Changes of any model. */
  changes = 0
  /** Deletions of rows of the scope's own model. */
  deletions = 0
  /** Those of them whose rows are missing already. */
  alreadyMissing = 0
  /** Deletions of rows of any model that are missing already. */
  missing = 0
  /** Rows of the scope's own model found equal. */
  unchanged = 0
  readonly #broken = new Map<string, number>()

  /** Counts the changes of one diff. `own`: they are of the scope's own model. */
  add<M extends ModelName>(changes: ReadonlyArray<Change<M>>, own: boolean): void {
    this.changes += changes.length
    for (const change of changes) {
      if (change._tag === 'delete') this.#delete(change, own)
      if (change._tag !== 'update') continue
      for (const field of change.broken) this.#broken.set(field, (this.#broken.get(field) ?? 0) + 1)
    }
  }

  /** Counts the changes of a group that wait in a branch already. */
  addWaiting({ listed, snapshots: { created, updated, deleted }, changes }: WaitingGroup): void {
    this.changes += changes
    this.deletions += deleted
    this.unchanged += listed - created - updated
  }

  #delete(change: Delete, own: boolean): void {
    const missing = change.missing === true
    if (missing) this.missing++
    if (!own) return
    this.deletions++
    if (missing) this.alreadyMissing++
  }

  /** One warning for each immutable field that changed. */
  warnings(scope: Scope): ReadonlyArray<Warning> {
    return [...this.#broken].map(([field, count]) => ({
      scope,
      code: 'immutable_changed',
      message: `${field} of finished backups changed; the change log of this run names them`,
      count,
    }))
  }
}
