import type { FieldValue } from '../registry/field.ts'

/**
 * Why a branch cannot land without a decision.
 *
 * - `create_create`: both sides made the same key, with different values.
 * - `update_update`: both sides changed a field to different values.
 * - `update_delete`: main changed what the branch deletes.
 * - `delete_update`: main deleted what the branch changes.
 * - `integrity`: the sides have different values for an immutable fact.
 * - `unique_collision`: another object of main has the key.
 * - `missing_reference`: the object refers to a row that is not in main.
 * - `child_orphaned`: main has gained children of a row that the branch deletes, or lost the parent
 *   of a row that the branch creates.
 * - `scope_regression`: a later run of the same scope has landed.
 * - `guard`: more deletions than the guard allows, or a list made with other privileges.
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

/** Why a branch cannot land without a decision. */
export type ConflictKind = (typeof conflictKinds)[number]

/** One thing that the two sides of an object disagree about. */
export interface Conflict {
  readonly kind: ConflictKind
  /** Null: the whole object. */
  readonly field: string | null
  /** Values of the field; of a whole object null. `base` is null too where there was none. */
  readonly base: FieldValue
  readonly main: FieldValue
  readonly branch: FieldValue
}

/**
 * A reviewer's resolution of a conflict: main's side, the branch's, a value of their own, or to leave
 * the whole object out of the merge.
 */
export type Resolution =
  | { readonly choice: 'main' | 'branch' | 'skip' }
  | { readonly choice: 'value'; readonly value: FieldValue }

/** Kinds that no policy decides; a person does. */
const personal: ReadonlySet<ConflictKind> = new Set<ConflictKind>(['integrity', 'guard', 'scope_regression'])

/**
 * The resolution by `branch_on_conflict`: `overwrite` takes the branch's side, except where only a
 * person may decide.
 */
export function policyResolution(policy: 'abort' | 'overwrite', { kind }: Pick<Conflict, 'kind'>): Resolution | null {
  return policy === 'overwrite' && !personal.has(kind) ? { choice: 'branch' } : null
}

/**
 * The resolutions that a kind of conflict allows. Only fields take a value, and a scope is resolved as a whole; an
 * object with a missing reference cannot be created, and two objects cannot share a key.
 */
export function possibleChoices({
  kind,
  field,
}: Pick<Conflict, 'kind' | 'field'>): ReadonlyArray<Resolution['choice']> {
  if (kind === 'guard' || kind === 'scope_regression') return ['main', 'branch']
  if (kind === 'missing_reference' || kind === 'unique_collision') return ['main', 'skip']
  return field === null || kind === 'update_delete' ? ['main', 'branch', 'skip'] : ['main', 'branch', 'value', 'skip']
}
