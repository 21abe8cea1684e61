import { type HeldDeletionsState, type HoldReason, type Judgement, judgeDeletions, type Scope } from '@netbox-pbs/core'
import { Inventory, type Landing, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Job } from './scope-work.ts'

/** A scope about to land, as it is judged. */
export interface Judged {
  readonly scope: Scope
  /** Rows that the source lists now. */
  readonly listed: number
  readonly deletions: number
  /** Rows of these that are missing already. */
  readonly alreadyMissing: number
  /** Visibility of the list that lacks them. */
  readonly visibility: string | null
  /** The list that lacks them is of a scope above, because the scope's parent is gone, and why that one is in doubt; undefined: the list is the scope's own. */
  readonly emptied?: { readonly upstreamHold: HoldReason | null }
}

/** What becomes of a scope's deletions, and the held deletions that it was decided by. */
export interface Verdict extends Judgement {
  readonly set: HeldDeletionsState | null
  /** Rows that are held for the first time. */
  readonly newlyHeld: number
}

/** Nothing is deleted. */
export const nothingDeleted: Verdict = { held: null, missing: 'as_others', set: null, newlyHeld: 0 }

/** Decides what becomes of a scope's deletions. */
export const judge = Effect.fn('sync.judge')(function* (
  job: Job,
  { scope, emptied, ...judged }: Judged,
): Effect.fn.Return<Verdict, StoreFailed, Inventory> {
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
export const reasonOf = ({ held, missing, set }: Verdict): HoldReason | null =>
  held ?? (missing === 'kept' ? (set?.reason ?? null) : null)

/** What a landing is told of the decision on rows that are missing already. */
export function decidedOf({ missing, set }: Verdict): Pick<Landing, 'decided'> {
  return missing === 'as_others' || set === null ? {} : { decided: { missing, revision: set.revision } }
}
