import type { Scope } from '../scope.ts'
import type { HoldReason } from './guard.ts'

/** How held deletions stands to the operators. */
export const heldStates = ['waiting', 'confirmed', 'dismissed'] as const

/**
 * How held deletions stands to the operators. `confirmed`: its rows go with the next complete list that still lacks them. `dismissed`: they stay, and nobody is asked
 * again until the set grows.
 */
export type HeldState = (typeof heldStates)[number]

/** The held-back deletions of one scope, as far as they are judged by: main's rows that are `missing` there. */
export interface HeldDeletionsState {
  readonly state: HeldState
  /** Rises when the set grows, and when its reason or its visibility becomes another: what an operator saw is known by it. */
  readonly revision: number
  readonly reason: HoldReason
  /** Visibility of the list that lacked the rows. Of a scope that was emptied because its parent is gone: that of the list which lacks the parent. */
  readonly visibility: string | null
  /** It was dismissed before, so that its rows go by a confirmation and by nothing else. */
  readonly kept: boolean
}

/** The one set of deletions that a scope holds back. */
export interface HeldDeletions extends HeldDeletionsState {
  readonly id: number
  readonly scope: Scope
  /** Rows of the scope's model that are missing now. */
  readonly count: number
  /** RFC 3339; when the first of its rows went missing. */
  readonly since: string
  /** The run that held or refreshed it last. */
  readonly runId: number
  /** Who confirmed or dismissed it, and when; null while it waits. */
  readonly decided: { readonly by: string; readonly at: string; readonly count: number } | null
}
