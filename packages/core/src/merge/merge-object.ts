import { type Field, type FieldValue, type ModelName, sameValue } from '../registry/field.ts'
import type { FieldChange } from '../sync/diff.ts'
import type { Conflict, ConflictKind } from './conflict.ts'
import { mergeField, mergingField, strategyOf } from './merge-field.ts'

/** Values of an object by field. A missing field has no value given. */
export type FieldValues = Readonly<Record<string, FieldValue>>

/**
 * One object as a merge sees it. Fields are those of the classes that merge: key, immutable, source
 * and operator.
 *
 * `base` is what main had when the branch first touched the object: of an update the touched
 * fields, of a deletion the whole row. `main` is the whole row as it is now. `branch` is what the
 * branch says: of an update its touched fields, of a creation the row. `whole` is the row that a
 * reader of the branch sees, for when main no longer has it.
 */
export interface ThreeSides {
  readonly model: ModelName
  /** The origin of the branch's values: a source, read by a run, or a person. */
  readonly author: 'sync' | 'operator'
  /** Null: main did not have the object. */
  readonly base: FieldValues | null
  /** Null: main does not have the object. */
  readonly main: FieldValues | null
  /** Null: the branch deletes the object. */
  readonly branch: FieldValues | null
  readonly whole: FieldValues | null
}

/**
 * The write of a merge to one object of main.
 *
 * - `none`: main already equals the result, or neither side has a change.
 * - `create`: a row that main lacks.
 * - `adopt`: main has gained the same key; its row and its id stay, with these fields changed.
 * - `update`: these fields of the row change. `base` is main's present value.
 * - `delete`: the row goes.
 */
export type Write =
  | { readonly _tag: 'none' }
  | { readonly _tag: 'create'; readonly values: Readonly<Record<string, FieldValue>> }
  | { readonly _tag: 'adopt' | 'update'; readonly fields: ReadonlyArray<FieldChange> }
  | { readonly _tag: 'delete' }

/** The write of an object's merge, and its conflicts. With conflicts `write` is the part that both sides agree on. */
export interface Merged {
  readonly write: Write
  readonly conflicts: ReadonlyArray<Conflict>
}

/**
 * Merges one object: the fifteen cases of what base, main and branch can be. Observations and derived
 * values take no part. An object created on both sides keeps main's row and id.
 *
 * A sync's branch read the source later than main: rows it lists come back although a user deleted
 * them, and rows it lacks are deleted although a user edited them.
 */
export function mergeObject(sides: ThreeSides): Merged {
  const { base, main, branch, whole: row } = sides
  if (branch === null) return main === null || base === null ? nothing : mergeDeletion(sides, base, main)
  if (main !== null) return mergeFields(sides, main, branch)
  if (base !== null && !touches(base, branch)) return nothing
  if (base === null || sides.author === 'sync') return agreed({ _tag: 'create', values: row ?? branch })
  return { write: none, conflicts: [ofWhole('delete_update')] }
}

const none: Write = { _tag: 'none' }
const agreed = (write: Write): Merged => ({ write, conflicts: [] })
const nothing = agreed(none)
const ofWhole = (kind: ConflictKind): Conflict => ({ kind, field: null, base: null, main: null, branch: null })

const touches = (base: FieldValues, branch: FieldValues): boolean =>
  Object.entries(branch).some(([field, value]) => !sameValue(base[field] ?? null, value))

function mergeDeletion({ model, author }: ThreeSides, base: FieldValues, main: FieldValues): Merged {
  const conflicts: Array<Conflict> = []
  let operatorOnly = true
  for (const [name, was] of Object.entries(base)) {
    const is = main[name] ?? null
    const field = mergingField(model, name)
    if (field === undefined || sameValue(was, is)) continue
    operatorOnly &&= field.class === 'operator'
    conflicts.push({ kind: 'update_delete', field: name, base: was, main: is, branch: null })
  }
  const lands = conflicts.length === 0 || (author === 'sync' && operatorOnly)
  return lands ? agreed({ _tag: 'delete' }) : { write: none, conflicts }
}

function mergeFields({ model, base }: ThreeSides, main: FieldValues, branch: FieldValues): Merged {
  const fields: Array<FieldChange> = []
  const conflicts: Array<Conflict> = []
  for (const [name, branchValue] of Object.entries(branch)) {
    const field = mergingField(model, name)
    if (field === undefined) continue
    const is = main[name] ?? null
    const was = base === null ? undefined : (base[name] ?? null)
    const merged = mergeField(strategyOf(field), { base: was, main: is, branch: branchValue })
    if (merged._tag === 'take') fields.push({ field: name, base: is, value: merged.value })
    if (merged._tag !== 'clash') continue
    if (!sameValue(is, merged.merged)) fields.push({ field: name, base: is, value: merged.merged })
    conflicts.push({ kind: kindOf(base, field), field: name, base: was ?? null, main: is, branch: branchValue })
  }
  if (base === null) return { write: { _tag: 'adopt', fields }, conflicts }
  return { write: fields.length === 0 ? none : { _tag: 'update', fields }, conflicts }
}

function kindOf(base: FieldValues | null, field: Field): ConflictKind {
  if (field.class === 'immutable') return 'integrity'
  return base === null ? 'create_create' : 'update_update'
}

/**
 * The effect of a merge on one object, with main's values before and after: the touched fields for an
 * update, else the whole row.
 */
export interface Merge {
  readonly before: Readonly<Record<string, FieldValue>> | null
  readonly after: Readonly<Record<string, FieldValue>> | null
}

/** The object's entry in a revert branch: its base is the result of the merge, its values are those from before. */
export function inverse({ before, after }: Merge): Pick<ThreeSides, 'base' | 'branch' | 'whole'> {
  return { base: after, branch: before, whole: before }
}
