import type { FieldValue } from '../registry/field.ts'
import { sameValue } from '../sync/same-value.ts'
import { listOf, mapOf } from './members.ts'
import { mergeMap } from './merge-map.ts'
import { mergeSet } from './merge-set.ts'

/** How a merge treats the values of a field: as one value, a set of members, or a map of keys. */
export type MergeStrategy = 'whole' | 'set' | 'map'

/**
 * One field on three sides. `undefined`: there is no base, the branch has not touched it, or the map
 * lacks the key.
 */
export interface FieldSides {
  readonly base: FieldValue | undefined
  readonly main: FieldValue | undefined
  readonly branch: FieldValue | undefined
}

/**
 * Outcome for a field: keep main's value, set another, or a clash. A clash carries the part that can
 * be merged, else main's value.
 */
export type FieldMerge =
  | { readonly _tag: 'keep' }
  | { readonly _tag: 'take'; readonly value: FieldValue }
  | { readonly _tag: 'clash'; readonly merged: FieldValue }

/**
 * Merges one field that main has. Rows F1 to F5 where there is a base, G0 to G4 where there is none; then blank text, null, and an empty list or map are unset. A set never clashes, a
 * map clashes key by key.
 */
export function mergeField(reading: MergeStrategy, { base, main = null, branch }: FieldSides): FieldMerge {
  if (branch === undefined || sameValue(main, branch)) return keep
  if (reading === 'set') return changed(main, mergeSet(listOf(base), listOf(main), listOf(branch)))
  if (reading === 'map') {
    const { merged, clashes } = mergeMap(mapOf(base), mapOf(main), mapOf(branch))
    return clashes.length > 0 ? { _tag: 'clash', merged } : changed(main, merged)
  }
  if (base === undefined) return isUnset(branch) ? keep : isUnset(main) ? take(branch) : { _tag: 'clash', merged: main }
  if (sameValue(base, branch)) return keep
  return sameValue(base, main) ? take(branch) : { _tag: 'clash', merged: main }
}

const keep: FieldMerge = { _tag: 'keep' }
const take = (value: FieldValue): FieldMerge => ({ _tag: 'take', value })
const changed = (main: FieldValue, merged: FieldValue): FieldMerge => (sameValue(main, merged) ? keep : take(merged))

const isUnset = (value: FieldValue): boolean => value === null || value === ''
