import type { FieldValue } from '../registry/field.ts'
import type { ThreeSides } from './three-sides.ts'

/** What a merge did to one object, with main's values before and after: of an update the touched fields, else the whole row. */
export interface Merge {
  readonly before: Readonly<Record<string, FieldValue>> | null
  readonly after: Readonly<Record<string, FieldValue>> | null
}

/** What the branch that undoes a merge holds of the object: what the merge left is its base, what was there before is what it wants. */
export function inverse({ before, after }: Merge): Pick<ThreeSides, 'base' | 'branch' | 'whole'> {
  return { base: after, branch: before, whole: before }
}
