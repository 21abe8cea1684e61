import type { FieldValue } from '../registry/field.ts'

/**
 * Why a branch cannot land by itself.
 *
 * - `create_create`: both sides made the same key, with different values.
 * - `update_update`: both sides changed a field to different ends.
 * - `update_delete`: main changed what the branch deletes.
 * - `delete_update`: main deleted what the branch changes.
 * - `integrity`: both sides give another value for a fact that cannot change.
 * - `unique_collision`: another object of main has the key.
 * - `missing_reference`: what an object refers to is not in main.
 * - `child_orphaned`: main has gained rows below what the branch deletes, or lost what the branch makes rows below.
 * - `scope_regression`: a later run of the same scope has landed.
 * - `guard`: more deletions than the guard lets go, or a list made with other privileges.
 */
export const conflictKinds = [
  'create_create',
  'update_update',
  'update_delete',
  'delete_update',
  'integrity',
  'unique_collision',
  'missing_reference',
  'child_orphaned',
  'scope_regression',
  'guard',
] as const

/** Why a branch cannot land by itself. */
export type ConflictKind = (typeof conflictKinds)[number]

/** One thing that the two sides of an object disagree about. */
export interface Conflict {
  readonly kind: ConflictKind
  /** Null: the object as a whole. */
  readonly field: string | null
  /** Values of the field; of a whole object null. `base` is null too where there was none. */
  readonly base: FieldValue
  readonly main: FieldValue
  readonly branch: FieldValue
}

/** What a reviewer says of a conflict: main's side, the branch's, a value of their own, or to leave the whole object out of the merge. */
export type Resolution =
  | { readonly choice: 'main' | 'branch' | 'skip' }
  | { readonly choice: 'value'; readonly value: FieldValue }

/** Kinds that no policy decides; a person does. */
const personal: ReadonlySet<ConflictKind> = new Set<ConflictKind>(['integrity', 'guard', 'scope_regression'])

/** What `branch_on_conflict` says of a conflict: `overwrite` takes the branch's side, save where only a person may decide. */
export function policyResolution(policy: 'abort' | 'overwrite', { kind }: Pick<Conflict, 'kind'>): Resolution | null {
  return policy === 'overwrite' && !personal.has(kind) ? { choice: 'branch' } : null
}

/**
 * The choices that a conflict of a kind leaves. A value is an answer to a field; what is asked of a whole scope is answered for all of it; what refers to nothing cannot be made, and no
 * two objects have one key.
 */
export function possibleChoices({
  kind,
  field,
}: Pick<Conflict, 'kind' | 'field'>): ReadonlyArray<Resolution['choice']> {
  if (kind === 'guard' || kind === 'scope_regression') return ['main', 'branch']
  if (kind === 'missing_reference' || kind === 'unique_collision') return ['main', 'skip']
  return field === null || kind === 'update_delete' ? ['main', 'branch', 'skip'] : ['main', 'branch', 'value', 'skip']
}
