import type { FieldValue } from '../registry/field.ts'
import type { ThreeSides } from './three-sides.ts'

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
