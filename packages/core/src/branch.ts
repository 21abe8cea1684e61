import type { Conflict, Resolution } from './merge/conflict.ts'
import type { FieldValue, ModelName } from './registry/field.ts'
import type { Scope } from './scope.ts'

/**
 * The states of a branch. The first three are open: it can be written and read.
 *
 * - `open`: a run or a person still writes it.
 * - `in_review`: something in it is in conflict with main, and nobody has said yet what shall hold.
 * - `ready`: nothing stands against merging it.
 * - `merged`: it has landed in main.
 * - `no_changes`: its run found nothing to change.
 * - `superseded`: later runs took every change out of it again.
 * - `closed`: a person gave it up.
 */
export const branchStatuses = ['open', 'in_review', 'ready', 'merged', 'no_changes', 'superseded', 'closed'] as const

/** Where a branch stands. */
export type BranchStatus = (typeof branchStatuses)[number]

/** The states in which a branch can be written, read and merged. */
export const openStatuses: ReadonlyArray<BranchStatus> = ['open', 'in_review', 'ready']

/** Whose branch it is: a run's, a person's, or one that undoes a merge. */
export const branchKinds = ['sync', 'operator', 'revert'] as const

/** Whose branch it is. */
export type BranchKind = (typeof branchKinds)[number]

/** A branch as it is recorded and read. */
export interface Branch {
  readonly id: number
  /** 8 characters of a-z and 0-9: what clients name it by. */
  readonly schema_id: string
  readonly name: string
  readonly kind: BranchKind
  readonly status: BranchStatus
  readonly description: string
  /** Who made it; of a sync who started the run, empty for a schedule. */
  readonly user: string
  /** The run that opened it; null: a person did. */
  readonly run_id: number | null
  /** Objects it changes. */
  readonly changes: number
  /** Conflicts without an answer, when it was last compared with main. */
  readonly conflicts: number
  /** RFC 3339; when it was last compared with main, null: never. */
  readonly checked: string | null
  readonly created: string
  readonly last_updated: string
  /** RFC 3339, and who; null until it is merged. */
  readonly merged: string | null
  readonly merged_by: string
  /** Rises with every change of what it holds or of an answer to one of its conflicts. */
  readonly revision: number
  /** Who approved it, and when (RFC 3339); empty and null until then. */
  readonly approved_by: string
  readonly approved_at: string | null
  /** The approval is for what it holds now. */
  readonly approved: boolean
  /** A person merges it even when nothing stands against that. So it is of a sync's while any scope that it covers is set to review, because a merge was undone in it. */
  readonly review: boolean
  /** The merged branch that it undoes. */
  readonly reverts: number | null
}

/** A conflict of a branch, as it is kept until somebody answers it. */
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
  /** Who answered it; empty until then. `overwrite` where the policy did. */
  readonly resolvedBy: string
  /** RFC 3339; null: not answered. */
  readonly resolvedAt: string | null
}

/** One object that a branch changes: of a deletion the values it had, of a creation those it gets, of an update the touched fields. */
export interface BranchChange {
  readonly model: ModelName
  readonly objectId: number
  readonly title: string
  readonly action: 'create' | 'update' | 'delete'
  readonly before: Readonly<Record<string, FieldValue>> | null
  readonly after: Readonly<Record<string, FieldValue>> | null
}

/** The name of the branch that a run opens: `pbs-sync-17-20260501T021000Z`. `at` is RFC 3339 in UTC. */
export const branchName = (prefix: string, runId: number, at: string): string =>
  `${prefix}-${runId}-${at.replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}`
