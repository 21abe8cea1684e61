import type { Conflict, Resolution } from './merge/conflict.ts'
import type { FieldValue, ModelName } from './registry/field.ts'
import type { Scope } from './scope.ts'
import type { BranchStatus } from './status.ts'

/** The kinds of branch: of a run, of a person, or the revert of a merge. */
export const branchKinds = ['sync', 'operator', 'revert'] as const

/** The kind of a branch. */
export type BranchKind = (typeof branchKinds)[number]

/** A branch as it is recorded and read. */
export interface Branch {
  readonly id: number
  /** 8 characters of a-z and 0-9 that identify the branch to clients. */
  readonly schema_id: string
  readonly name: string
  readonly kind: BranchKind
  readonly status: BranchStatus
  readonly description: string
  /** Author; for a sync the user who started the run, empty for a schedule. */
  readonly user: string
  /** The run that opened it; null: a person opened it. */
  readonly run_id: number | null
  /** Objects it changes. */
  readonly changes: number
  /** Conflicts without an answer, when it was last compared with main. */
  readonly conflicts: number
  /** RFC 3339; when it was last compared with main, null: never. */
  readonly checked: string | null
  readonly created: string
  readonly last_updated: string
  /** Time (RFC 3339) and user of the merge; null until it is merged. */
  readonly merged: string | null
  readonly merged_by: string
  /** Rises with every change of its entries or of the resolution of a conflict. */
  readonly revision: number
  /** User and time (RFC 3339) of the approval; empty and null until then. */
  readonly approved_by: string
  readonly approved_at: string | null
  /** The approval covers the present revision. */
  readonly approved: boolean
  /**
   * Requires manual approval even without conflicts. A sync's branch does while it covers a scope that
   * is set to review, because a merge of that scope was reverted.
   */
  readonly review: boolean
  /** The merged branch that it reverts. */
  readonly reverts: number | null
}

/** A conflict of a branch, kept until it is resolved. */
export interface BranchConflict extends Conflict {
  readonly id: number
  readonly model: ModelName
  /** Id of the object; null: the conflict is of a whole scope. */
  readonly objectId: number | null
  /** The object's natural key in words, or its scope's title. */
  readonly title: string
  /** The scope that it is about, under the present name of its server. */
  readonly scope: Scope | null
  /** Identity of that scope. It knows the server by its id: a rename leaves it as it is. */
  readonly scopeKey: string
  readonly resolution: Resolution | null
  /** The user who resolved it; empty while it is open. `overwrite` where the policy resolved it. */
  readonly resolvedBy: string
  /** RFC 3339; null: not resolved. */
  readonly resolvedAt: string | null
}

/**
 * One object that a branch changes: its old values for a deletion, its new values for a creation, the
 * touched fields for an update.
 */
export interface BranchChange {
  readonly model: ModelName
  readonly objectId: number
  readonly title: string
  readonly action: 'create' | 'update' | 'delete'
  /** The user's words about it, of the last edit that had any; empty: none. */
  readonly message: string
  readonly before: Readonly<Record<string, FieldValue>> | null
  readonly after: Readonly<Record<string, FieldValue>> | null
}

/** The name of the branch that a run opens: `pbs-sync-17-20260501T021000Z`. `at` is RFC 3339 in UTC. */
export const branchName = (prefix: string, runId: number, at: string): string =>
  `${prefix}-${runId}-${at.replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}`
