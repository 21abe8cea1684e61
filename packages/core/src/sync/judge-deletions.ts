import type { Scope } from '../scope.ts'
import { type GuardSettings, guard, type HoldReason } from './guard.ts'

/** The states of held deletions. */
export const heldStates = ['waiting', 'confirmed', 'dismissed'] as const

/**
 * The state of held deletions. `confirmed`: the next complete list that still lacks the rows
 * deletes them; `dismissed`: the rows stay, and operators are not asked again until more go
 * missing.
 */
export type HeldState = (typeof heldStates)[number]

/** The held-back deletions of one scope, as far as they are judged by: main's rows that are `missing` there. */
export interface HeldDeletionsState {
  readonly state: HeldState
  /**
   * Rises with new rows and with a change of the reason or the visibility; it identifies the state that
   * an operator saw.
   */
  readonly revision: number
  readonly reason: HoldReason
  /**
   * Visibility of the list that lacked the rows. Of a scope that was emptied because its parent is
   * gone: that of the list which lacks the parent.
   */
  readonly visibility: string | null
  /** They were dismissed before, so only a confirmation deletes their rows. */
  readonly kept: boolean
}

/** The held deletions of a scope. */
export interface HeldDeletions extends HeldDeletionsState {
  readonly id: number
  readonly scope: Scope
  /** Rows of the scope's model that are missing now. */
  readonly count: number
  /** RFC 3339; when the first of the rows went missing. */
  readonly since: string
  /** The run that held or refreshed them last. */
  readonly runId: number
  /** User and time of the decision; null while they wait. */
  readonly decided: { readonly by: string; readonly at: string; readonly count: number } | null
}

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
