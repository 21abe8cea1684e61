import { type Delete, deletes, type HoldReason, type MainRow, type ModelName } from '@netbox-pbs/core'
import { reasonOf, type ScopeJudgement } from './land-scope.ts'

/** Why a scope is emptied: a complete list lacks its parent. */
export interface Emptying {
  /**
   * The run of that list, where main has no row for the parent: then the rows themselves go with the
   * second list. Null: the parent's own row was lacking twice.
   */
  readonly runId: number | null
  /** Visibility of that list. */
  readonly visibility: string | null
  /** The list is in doubt, and so are these rows; null: it is not. */
  readonly upstreamHold: HoldReason | null
}

/** Rows that stay in the scopes below a row that vanished. */
export interface ChildRows {
  /** Rows that wait for a decision. */
  readonly waiting: number
  /** Rows that stay because an operator said so. */
  readonly kept: number
  /** Rows that go with the list of another run. */
  readonly noted: number
}

/** No rows. */
export const noChildren: ChildRows = { waiting: 0, kept: 0, noted: 0 }

/** The sum of two. */
export const addChildren = (a: ChildRows, b: ChildRows): ChildRows => ({
  waiting: a.waiting + b.waiting,
  kept: a.kept + b.kept,
  noted: a.noted + b.noted,
})

/** A row of main that its source lists no longer, with its deletion. */
export interface Unlisted<M extends ModelName> {
  readonly change: Delete
  readonly row: MainRow<M>
}

/** Why the deletions of a vanished row's children are held; null: its own deletion is not held. */
export const childrenHold = <M extends ModelName>(verdict: ScopeJudgement, { row }: Unlisted<M>) =>
  deletes(verdict, row.presence === 'missing') ? null : reasonOf(verdict)

/**
 * Decides on a vanished row's deletion, once its children are judged. `rest`: nothing to do,
 * because the row is missing already and is kept by children that no longer wait for a decision.
 */
export function deletionAbove<M extends ModelName>(
  verdict: ScopeJudgement,
  { row }: Unlisted<M>,
  children: ChildRows,
): 'as_judged' | 'children_held' | 'rest' {
  if (!deletes(verdict, row.presence === 'missing') || children.waiting + children.kept === 0) return 'as_judged'
  return children.waiting === 0 && row.presence === 'missing' ? 'rest' : 'children_held'
}
