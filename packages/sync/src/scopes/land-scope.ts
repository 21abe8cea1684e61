import {
  addRows,
  type Change,
  type Delete,
  formatTimestamp,
  type HeldDeletionsState,
  type HoldReason,
  type Judgement,
  judgeDeletions,
  type ModelName,
  noRows,
  type Reason,
  type RowCounts,
  type Scope,
  type ScopeOutcome,
  type Sightings,
  scopeTitle,
  type Warning,
  whyHeld,
} from '@netbox-pbs/core'
import {
  type Appended,
  ChangeSets,
  Inventory,
  type Landing,
  type LandingRecord,
  type SightedModel,
  type StoreFailed,
  type WaitingGroup,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { openReviewBranch } from '../branches/run-branches.ts'
import { now } from '../timestamp.ts'
import type { Job, JobStopped, LandingPorts } from './scope-work.ts'

/** Rows of one append: a short transaction, and a bound on memory. */
export const batchRows = 2000

/** Appends changes in bounded parts. `held`: their deletions wait in any case. */
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

/** Counts the results of a scope's diffs, in constant memory. */
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

/** A scope about to land, as it is judged. */
interface Judged {
  readonly scope: Scope
  /** Rows that the source lists now. */
  readonly listed: number
  readonly deletions: number
  /** Rows of these that are missing already. */
  readonly alreadyMissing: number
  /** Visibility of the list that lacks them. */
  readonly visibility: string | null
  /**
   * The list that lacks them is of a scope above, because the scope's parent is gone, and why that
   * one is in doubt; undefined: the list is the scope's own.
   */
  readonly emptied?: { readonly upstreamHold: HoldReason | null }
}

/** The decision on a scope's deletions, and the held deletions that it is based on. */
export interface ScopeJudgement extends Judgement {
  readonly set: HeldDeletionsState | null
  /** Rows that are held for the first time. */
  readonly newlyHeld: number
}

/** Nothing is deleted. */
export const nothingDeleted: ScopeJudgement = { held: null, missing: 'as_others', set: null, newlyHeld: 0 }

/** Decides on a scope's deletions. */
export const judge = Effect.fn('sync.judge')(function* (
  job: Job,
  { scope, emptied, ...judged }: Judged,
): Effect.fn.Return<ScopeJudgement, StoreFailed, Inventory> {
  if (judged.deletions === 0) return nothingDeleted
  const { rows: before, held: missing, visibility: landedVisibility, set } = yield* (yield* Inventory).scopeState(scope)
  const judgement = judgeDeletions({
    ...judged,
    settings: job.guard,
    before,
    missing,
    landedVisibility: emptied === undefined ? landedVisibility : null,
    set,
    upstreamHold: emptied?.upstreamHold ?? null,
  })
  const newlyHeld = judgement.held === null ? 0 : judged.deletions - judged.alreadyMissing
  return { ...judgement, set, newlyHeld }
})

/** Why the rows of a scope that wait do so, as far as its own deletions say; null: for rows below them. */
export const reasonOf = ({ held, missing, set }: ScopeJudgement): HoldReason | null =>
  held ?? (missing === 'kept' ? (set?.reason ?? null) : null)

/** The decision on rows that are missing already, as a landing takes it. */
function decidedOf({ missing, set }: ScopeJudgement): Pick<Landing, 'decided'> {
  return missing === 'as_others' || set === null ? {} : { decided: { missing, revision: set.revision } }
}

/** A scope whose changes are all appended and judged. */
export interface ReadyScope {
  readonly scope: Scope
  readonly started: string
  /** Visibility of the list that was complete: the scope's own, or that which lacks its parent. */
  readonly visibility: string | null
  readonly verdict: ScopeJudgement
  /** False when it is emptied because its parent is gone. */
  readonly listed: boolean
  /** Changes appended, of any model, without the deletions of rows that a dismissed set keeps. */
  readonly changes: number
  /** Rows found equal. */
  readonly unchanged: number
  /** As in `Landing`. */
  readonly leftOut: number
  /** As in `Landing`. */
  readonly fullSince?: string | null
  /** Rows that are absent from now on, or listed again. */
  readonly sighted?: number
  /** Rows of it that have landed before the rest. */
  readonly landed?: RowCounts
}

/** How a landing ended. */
interface Landed {
  readonly outcome: ScopeOutcome
  readonly counts: RowCounts
}

/**
 * Lands a scope, or stages it in a branch: the run's, or one for review when a merge was undone in
 * the scope. Records how it ended: both or neither.
 */
export const landScope = Effect.fn('sync.landScope')(function* (
  job: Job,
  ready: ReadyScope,
): Effect.fn.Return<Landed, JobStopped, LandingPorts> {
  const {
    scope,
    started,
    visibility,
    verdict,
    listed,
    changes,
    unchanged,
    leftOut,
    sighted = 0,
    landed = noRows,
    fullSince = started,
  } = ready
  const changeSets = yield* ChangeSets
  const { changeSet, runId, serverId } = job
  const ended = (touched: RowCounts, reached: 'landed' | 'staged'): Landed & { readonly reason: Reason | null } => {
    const counts = { ...addRows(touched, landed), unchanged }
    const otherwise = landed.created + sighted > 0 ? 'landed' : 'unchanged'
    if (leftOut > 0) return { outcome: 'held_back', counts, reason: unread(leftOut) }
    const waiting = counts.held_back > 0
    return {
      outcome: waiting ? 'held_back' : changes > 0 ? reached : otherwise,
      counts,
      reason: waiting ? holdReason(reasonOf(verdict) ?? 'children_held', counts.held_back) : null,
    }
  }
  const clock = yield* Effect.clock
  const recorded = (reached: 'landed' | 'staged'): LandingRecord => ({
    serverId,
    result: (touched) => ({
      scope,
      started,
      ended: formatTimestamp(clock.unsafeCurrentTimeMillis()),
      ...ended(touched, reached),
    }),
  })
  const { held } = verdict
  const at = yield* now
  const landing = { changeSet, scope, runId, at, visibility, held, listed, leftOut, fullSince, ...decidedOf(verdict) }
  const stageIn = (branch: number, remember: { readonly remember?: false } = {}) =>
    // In a branch, deletions that are held back or kept are a conflict for its reviewer.
    Effect.map(
      changeSets.stage({ ...landing, held: reasonOf(verdict), branch, record: recorded('staged'), ...remember }),
      ({ counts }) => ended(counts, 'staged'),
    ).pipe(Effect.tap(logHeld(ready, { branch })))
  if (job.branch !== null) return yield* stageIn(job.branch)
  return yield* changeSets.land({ ...landing, record: recorded('landed') }).pipe(
    Effect.map((counts) => ended(counts, 'landed')),
    Effect.tap(logHeld(ready, {})),
    Effect.catchTag('ScopeInReview', ({ branch }) =>
      // The next run of the scope compares all of it again: it does not know yet that it will be staged.
      Effect.flatMap(branch === null ? openReviewBranch(runId) : Effect.succeed(branch), (id) =>
        stageIn(id, { remember: false }),
      ),
    ),
  )
})

/** Logs that deletions wait for a person; once for each that does, not at every run. */
const logHeld = ({ scope, verdict, leftOut }: ReadyScope, where: { readonly branch?: number }): Effect.Effect<void> =>
  verdict.held === null || verdict.newlyHeld === 0 || leftOut > 0
    ? Effect.void
    : Effect.logWarning('deletions are held').pipe(
        Effect.annotateLogs({
          scope: scopeTitle(scope),
          rows: verdict.newlyHeld,
          reason: verdict.held,
          cause: whyHeld[verdict.held],
          ...where,
        }),
      )

const unread = (rows: number): Reason => ({
  code: 'left_out',
  message: `${rows} ${rows === 1 ? 'row exists and' : 'rows exist and'} cannot be read, so no row that the list lacks is deleted: the run's warnings say why`,
})

function holdReason(code: HoldReason, rows: number): Reason {
  return { code, message: `${rows} rows that are no longer listed stay: ${whyHeld[code]}` }
}
