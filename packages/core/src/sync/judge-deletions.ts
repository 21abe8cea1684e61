import { type GuardSettings, guard, type HoldReason } from './guard.ts'
import type { HeldDeletionsState } from './held-deletions.ts'

/** The deletions of a complete scope, and the facts that decide on them. */
export interface DeletionsInput {
  readonly settings: GuardSettings
  /** Rows that the last landed list of the scope had, the missing ones included. */
  readonly before: number
  /** Of those, the rows that are missing already. */
  readonly missing: number
  /** Rows that the source lists now. */
  readonly listed: number
  /** Rows that it lacks. */
  readonly deletions: number
  /** Of those, the rows that are missing already. */
  readonly alreadyMissing: number
  /** Visibility of the list that lacks the rows. */
  readonly visibility: string | null
  /** Visibility of the scope's last landed list; null: it has none to compare with. */
  readonly landedVisibility: string | null
  readonly set: HeldDeletionsState | null
  /** Why another scope's deletions, on which these depend, wait; null: they do not. */
  readonly upstreamHold: HoldReason | null
}

/** The decision on a scope's deletions. */
export interface Judgement {
  /** Why rows that were listed until now stay; null: they are deleted. */
  readonly held: HoldReason | null
  /** The decision on rows that are missing already: as on the others, or an operator's. */
  readonly missing: 'as_others' | 'kept' | 'deleted'
}

/**
 * Decides on a scope's deletions, by the guard and by the operators' decisions on its held deletions.
 *
 * Confirmed rows are deleted under all settings of the guard, but only under the visibility that was
 * confirmed; rows missing since then are held. Dismissed rows stay until they are confirmed, and the
 * guard ignores them when it judges the others.
 */
export function judgeDeletions(input: DeletionsInput): Judgement {
  const { set, deletions, alreadyMissing, visibility, upstreamHold } = input
  if (deletions === 0) return { held: null, missing: 'as_others' }
  if (set?.state === 'confirmed') {
    if (set.visibility !== visibility) return { held: 'visibility_changed', missing: 'as_others' }
    const others = deletions - alreadyMissing
    return {
      held: others === 0 ? null : (upstreamHold ?? holdReason(input, 'others') ?? 'unconfirmed'),
      missing: 'deleted',
    }
  }
  if (set?.kept === true)
    return {
      held: deletions === alreadyMissing ? null : (upstreamHold ?? holdReason(input, 'others')),
      missing: 'kept',
    }
  return { held: upstreamHold ?? holdReason(input, 'all'), missing: 'as_others' }
}

/** Whether a judged row is deleted. */
export function deletes({ held, missing }: Judgement, isMissing: boolean): boolean {
  return isMissing && missing !== 'as_others' ? missing === 'deleted' : held === null
}

/** The guard's decision on all deletions, or on those of rows that are not missing yet. */
function holdReason(input: DeletionsInput, which: 'all' | 'others'): HoldReason | null {
  const { settings, before, missing, listed, deletions, alreadyMissing, visibility, landedVisibility, set } = input
  // An operator who dismissed the deletions has seen their visibility.
  const seen = set?.state === 'dismissed' && set.visibility === visibility
  const verdict = guard({
    settings,
    before: which === 'all' ? before : before - missing,
    listed,
    deletions: which === 'all' ? deletions : deletions - alreadyMissing,
    visibilityChanged: landedVisibility !== null && landedVisibility !== visibility && !seen,
  })
  return verdict._tag === 'hold' ? verdict.reason : null
}
