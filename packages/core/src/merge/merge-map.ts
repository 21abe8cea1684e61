import type { FieldValue } from '../registry/field.ts'
import { sameValue } from '../sync/same-value.ts'

type Side = Readonly<Record<string, FieldValue>>

/** A merged map, and the keys that both sides changed to different values. Those have main's value. */
export interface MapMerge {
  readonly merged: Record<string, FieldValue>
  readonly clashes: ReadonlyArray<string>
}

/** Merges key by key. A missing key is a value of its own, distinct from null. */
export function mergeMap(base: Side, main: Side, branch: Side): MapMerge {
  const merged: Record<string, FieldValue> = {}
  const clashes: Array<string> = []
  for (const key of new Set([...Object.keys(main), ...Object.keys(branch)])) {
    const [was, is, branchValue] = [at(base, key), at(main, key), at(branch, key)]
    const ours = same(is, branchValue) || same(was, branchValue)
    if (!ours && !same(was, is)) clashes.push(key)
    const value = ours || !same(was, is) ? is : branchValue
    if (value !== undefined) merged[key] = value
  }
  return { merged, clashes }
}

const at = (side: Side, key: string): FieldValue | undefined => (Object.hasOwn(side, key) ? side[key] : undefined)

const same = (a: FieldValue | undefined, b: FieldValue | undefined): boolean =>
  a === undefined || b === undefined ? a === b : sameValue(a, b)
