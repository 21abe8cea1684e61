import type { FieldValue } from '../registry/field.ts'
import { keysOf, listOf, mapOf, sameMember } from './members.ts'
import type { MergeStrategy } from './merge-field.ts'
import { mergeSet } from './merge-set.ts'
import { mergingField, strategyOf } from './merging-fields.ts'
import type { FieldValues, ThreeSides } from './three-sides.ts'

/**
 * The row as a reader of the branch sees it; null: it does not exist there. Touched fields are the
 * branch's, the rest is main's as it is now. Sets and maps are main's with what the branch put in and
 * took out; of a map's key that both sides changed, the branch's. A row that main no longer has is the branch's, whole.
 */
export function seenRow({ model, base, main, branch, whole }: Omit<ThreeSides, 'author'>): FieldValues | null {
  if (branch === null) return null
  if (base === null || main === null) return whole
  const seen: Record<string, FieldValue> = { ...main }
  for (const [name, value] of Object.entries(branch)) {
    const field = mergingField(model, name)
    if (field === undefined) continue
    seen[name] = seenValue(strategyOf(field), { base: base[name] ?? null, main: main[name] ?? null, branch: value })
  }
  return seen
}

type Sides = Readonly<Record<'base' | 'main' | 'branch', FieldValue>>

function seenValue(reading: MergeStrategy, { base, main, branch }: Sides): FieldValue {
  if (reading === 'whole') return branch
  return reading === 'set'
    ? mergeSet(listOf(base), listOf(main), listOf(branch))
    : seenMap(mapOf(base), mapOf(main), mapOf(branch))
}

function seenMap(base: FieldValues, main: FieldValues, branch: FieldValues): FieldValue {
  const seen: Record<string, FieldValue> = {}
  for (const key of keysOf(main, branch)) {
    const value = sameMember(base, branch, key) ? main[key] : branch[key]
    if (value !== undefined) seen[key] = value
  }
  return seen
}
