import type { FieldValue, ModelName } from '../registry/field.ts'

/** Values of an object by field. A missing field has no value given. */
export type FieldValues = Readonly<Record<string, FieldValue>>

/**
 * One object as a merge sees it. Fields are those of the classes that merge: key, immutable, source and operator.
 *
 * `base` is what main had when the branch first touched the object: of an update the touched fields, of a deletion the whole row. `main` is the whole row as it is now. `branch`
 * is what the branch says: of an update its touched fields, of a creation the row. `whole` is the row that a reader of the branch sees, for when main no longer has it.
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
