import { type FieldValue, type ModelName, sameValue } from '../registry/field.ts'
import {
  keysOf,
  listOf,
  type MergeStrategy,
  mapOf,
  mergeSet,
  mergingField,
  sameMember,
  strategyOf,
} from './merge-field.ts'
import type { FieldValues, ThreeSides } from './merge-object.ts'

/** A field of a branch: main's value when it was first touched, and the branch's value. */
export interface Touched {
  readonly base: FieldValue
  readonly value: FieldValue
}

/**
 * The row as a reader of the branch sees it (null: it does not exist there): the branch's touched
 * fields over main's present row, or the branch's whole row if main no longer has it. Sets and maps
 * are main's with the branch's additions and removals; for a key of a map that both sides changed,
 * the branch's value counts.
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

function seenValue(strategy: MergeStrategy, { base, main, branch }: Sides): FieldValue {
  if (strategy === 'whole') return branch
  return strategy === 'set'
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

/**
 * A branch's entry for an object that main has or had: the touched fields, their base, and the row as
 * the branch last saw it, with its own values.
 */
export interface EntryFields {
  readonly touched: ReadonlyArray<string>
  readonly base: FieldValues
  readonly row: FieldValues
}

/** An object in a branch, and the values that a user writes. One of `main` and `entry` is given. */
interface Touching {
  readonly model: ModelName
  /** Null: main no longer has it. */
  readonly main: FieldValues | null
  /** Null: the branch has not touched it yet. */
  readonly entry: EntryFields | null
  readonly values: FieldValues
}

/**
 * The entry after a user's write. The base of a field is main's value when the branch first touched
 * it; a member of a set or a map that the branch first touches now is based on main's present
 * members, which the user has seen.
 */
export function touchRow({ model, main, entry, values }: Touching): EntryFields {
  const seen = seenOf({ model, main, entry })
  const fields = new Map((entry?.touched ?? []).map((name) => [name, touchedAt(entry, name)]))
  for (const [name, value] of Object.entries(values)) {
    const field = mergingField(model, name)
    if (field === undefined) continue
    const present = (main ?? seen)[name] ?? null
    const before = fields.get(name)
    const strategy = strategyOf(field)
    const base = baseOf(strategy, { before, present, value })
    if (isTouched(strategy, base, value)) fields.set(name, { base, value })
    else fields.delete(name)
  }
  const row: Record<string, FieldValue> = { ...(main ?? seen) }
  for (const [name, { value }] of fields) row[name] = value
  const base = Object.fromEntries([...fields].map(([name, touched]) => [name, touched.base]))
  return { touched: [...fields.keys()].sort(), base, row }
}

const touchedAt = (entry: EntryFields | null, name: string): Touched => ({
  base: entry?.base[name] ?? null,
  value: entry?.row[name] ?? null,
})

function seenOf({ model, main, entry }: Omit<Touching, 'values'>): FieldValues {
  if (entry === null) return main ?? {}
  const { base, row, touched } = entry
  const branch = Object.fromEntries(touched.map((name) => [name, row[name] ?? null]))
  return seenRow({ model, base, main, branch, whole: row }) ?? {}
}

function baseOf(
  strategy: MergeStrategy,
  {
    before,
    present,
    value,
  }: { readonly before: Touched | undefined; readonly present: FieldValue; readonly value: FieldValue },
): FieldValue {
  if (strategy === 'map') return mapBase(before, present, value)
  return strategy === 'set' || before === undefined ? present : before.base
}

/** Keys that the branch has touched keep their base; of the others it is main's present value. */
function mapBase(before: Touched | undefined, present: FieldValue, value: FieldValue): FieldValue {
  const [was, had, main] = [mapOf(before?.base), mapOf(before?.value), mapOf(present)]
  const base: Record<string, FieldValue> = {}
  for (const key of keysOf(was, main, mapOf(value))) {
    const from = before !== undefined && !sameMember(was, had, key) ? was : main
    const first = from[key]
    if (first !== undefined) base[key] = first
  }
  return base
}

function isTouched(strategy: MergeStrategy, base: FieldValue, value: FieldValue): boolean {
  if (strategy !== 'map') return !sameValue(base, value)
  const [was, next] = [mapOf(base), mapOf(value)]
  return [...keysOf(was, next)].some((key) => !sameMember(was, next, key))
}

/** Touched fields by name. */
export type TouchedFields = Readonly<Record<string, Touched>>

/**
 * The touched fields of an object after a later run has read its source again: the values of that
 * run over the earlier bases. `read` has the fields that the run would change in main as it is now;
 * a field that it lacks leaves the branch, because source and main agree.
 */
export function refreshTouched(before: TouchedFields, read: TouchedFields): TouchedFields {
  const fields: Record<string, Touched> = {}
  for (const [name, { base, value }] of Object.entries(read)) {
    const kept = before[name]
    fields[name] = { base: kept === undefined ? base : kept.base, value }
  }
  return fields
}

/** Whether two runs stage the same fields: then the later one changes nothing in the branch. */
export function sameTouched(a: TouchedFields, b: TouchedFields): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [one, other] = [a[name], b[name]]
      return one !== undefined && other !== undefined && sameValue(one.value, other.value)
    })
  )
}
