import type { FieldValue } from '../registry/field.ts'
import { sameValue } from '../sync/same-value.ts'

/** Main's members, less those the branch took out, then those the branch put in: `(main ∪ (branch − base)) − (base − branch)`. */
export function mergeSet(
  base: ReadonlyArray<FieldValue>,
  main: ReadonlyArray<FieldValue>,
  branch: ReadonlyArray<FieldValue>,
): Array<FieldValue> {
  const stays = main.filter((member) => has(branch, member) || !has(base, member))
  const comes = branch.filter((member) => !has(base, member) && !has(stays, member))
  return [...stays, ...comes]
}

const has = (members: ReadonlyArray<FieldValue>, member: FieldValue): boolean =>
  members.some((other) => sameValue(other, member))
