import type { Scope } from '../scope.ts'
import type { HoldReason } from './guard.ts'

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
