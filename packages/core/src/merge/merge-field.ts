import {
  everyModelFields,
  type Field,
  type FieldClass,
  type FieldValue,
  type ModelName,
  sameValue,
} from '../registry/field.ts'
import { registry } from '../registry/registry.ts'

/** How a merge treats the values of a field: as one value, a set of members, or a map of keys. */
export type MergeStrategy = 'whole' | 'set' | 'map'

/**
 * One field on three sides. `undefined`: there is no base, the branch has not touched it, or the map
 * lacks the key.
 */
interface FieldSides {
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
 * Merges one field of an object that main has, by rows F1 to F5 with a base and G0 to G4 without
 * one, where blank text, null and an empty list or map are unset. Sets never conflict; maps
 * conflict key by key.
 */
export function mergeField(strategy: MergeStrategy, { base, main = null, branch }: FieldSides): FieldMerge {
  if (branch === undefined || sameValue(main, branch)) return keep
  if (strategy === 'set') return changed(main, mergeSet(listOf(base), listOf(main), listOf(branch)))
  if (strategy === 'map') {
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

/** The field classes that merge. */
const merging: ReadonlySet<FieldClass> = new Set<FieldClass>(['key', 'immutable', 'source', 'operator'])

/** A field that merges, by its name; undefined: there is none, or it is an observation or derived. */
export function mergingField(model: ModelName, name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = { ...registry[model].fields, ...everyModelFields }
  const field = fields[name]
  return field !== undefined && merging.has(field.class) ? field : undefined
}

/** How a merge treats the values of a field. */
export const strategyOf = (field: Field): MergeStrategy => (field.type === 'json' ? (field.merge ?? 'whole') : 'whole')

/**
 * Main's members, less those the branch took out, then those the branch put in: `(main ∪ (branch −
 * base)) − (base − branch)`.
 */
export function mergeSet(
  base: ReadonlyArray<FieldValue>,
  main: ReadonlyArray<FieldValue>,
  branch: ReadonlyArray<FieldValue>,
): Array<FieldValue> {
  const kept = main.filter((member) => has(branch, member) || !has(base, member))
  const added = branch.filter((member) => !has(base, member) && !has(kept, member))
  return [...kept, ...added]
}

const has = (members: ReadonlyArray<FieldValue>, member: FieldValue): boolean =>
  members.some((other) => sameValue(other, member))

/** The keys of a value that is a map. */
type Members = Readonly<Record<string, FieldValue>>

/** A merged map, and the keys that both sides changed to different values. Those have main's value. */
interface MapMerge {
  readonly merged: Record<string, FieldValue>
  readonly clashes: ReadonlyArray<string>
}

/** Merges key by key. A missing key is a value of its own, distinct from null. */
function mergeMap(base: Members, main: Members, branch: Members): MapMerge {
  const merged: Record<string, FieldValue> = {}
  const clashes: Array<string> = []
  for (const key of new Set([...Object.keys(main), ...Object.keys(branch)])) {
    const [was, is, branchValue] = [memberOf(base, key), memberOf(main, key), memberOf(branch, key)]
    const ours = sameOrAbsent(is, branchValue) || sameOrAbsent(was, branchValue)
    if (!ours && !sameOrAbsent(was, is)) clashes.push(key)
    const value = ours || !sameOrAbsent(was, is) ? is : branchValue
    if (value !== undefined) merged[key] = value
  }
  return { merged, clashes }
}

const memberOf = (side: Members, key: string): FieldValue | undefined =>
  Object.hasOwn(side, key) ? side[key] : undefined

const sameOrAbsent = (a: FieldValue | undefined, b: FieldValue | undefined): boolean =>
  a === undefined || b === undefined ? a === b : sameValue(a, b)

/** A value read as a list; any other value is empty. */
export const listOf = (value: FieldValue | undefined): ReadonlyArray<FieldValue> => (Array.isArray(value) ? value : [])

/** A value read as a map; any other value is empty. */
export function mapOf(value: FieldValue | undefined): Members {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
  return value as Members // border: Array.isArray does not narrow readonly arrays away
}

/** Whether two maps agree on a key. A missing key differs from null. */
export const sameMember = (a: Members, b: Members, key: string): boolean =>
  Object.hasOwn(a, key) === Object.hasOwn(b, key) && sameValue(a[key] ?? null, b[key] ?? null)

/** Every key that one of the maps has. */
export const keysOf = (...maps: ReadonlyArray<Members>): ReadonlySet<string> =>
  new Set(maps.flatMap((map) => Object.keys(map)))
