import type { FieldValue, ModelName } from '../registry/field.ts'
import { sameValue } from '../sync/same-value.ts'
import { keysOf, mapOf, sameMember } from './members.ts'
import type { MergeStrategy } from './merge-field.ts'
import { mergingField, strategyOf } from './merging-fields.ts'
import { seenRow } from './seen-row.ts'
import type { FieldValues } from './three-sides.ts'

/**
 * A branch's entry for an object that main has or had: the touched fields, their base, and the row as
 * the branch last saw it, with its own values.
 */
export interface EntryFields {
  readonly touched: ReadonlyArray<string>
  readonly base: FieldValues
  readonly row: FieldValues
}

/** An object in a branch, and what a user writes there. One of `main` and `entry` is given. */
export interface Touching {
  readonly model: ModelName
  /** Null: main no longer has it. */
  readonly main: FieldValues | null
  /** Null: the branch has not touched it yet. */
  readonly entry: EntryFields | null
  readonly values: FieldValues
}

/**
 * The entry after a user's write. The base of a field is what main had when the branch first touched it; a field set back to that is no longer touched. Of a set and a map the user has seen
 * main's present members with the branch's on top, so those that the branch had not touched yet count from main's present ones.
 */
export function touchRow({ model, main, entry, values }: Touching): EntryFields {
  const seen = seenOf({ model, main, entry })
  const fields = new Map((entry?.touched ?? []).map((name) => [name, touchedAt(entry, name)]))
  for (const [name, value] of Object.entries(values)) {
    const field = mergingField(model, name)
    if (field === undefined) continue
    const present = (main ?? seen)[name] ?? null
    const before = fields.get(name)
    const reading = strategyOf(field)
    const base = baseOf(reading, { before, present, value })
    if (isTouched(reading, base, value)) fields.set(name, { base, value })
    else fields.delete(name)
  }
  const row: Record<string, FieldValue> = { ...(main ?? seen) }
  for (const [name, { value }] of fields) row[name] = value
  const base = Object.fromEntries([...fields].map(([name, touched]) => [name, touched.base]))
  return { touched: [...fields.keys()].sort(), base, row }
}

interface Touched {
  readonly base: FieldValue
  readonly value: FieldValue
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
  reading: MergeStrategy,
  {
    before,
    present,
    value,
  }: { readonly before: Touched | undefined; readonly present: FieldValue; readonly value: FieldValue },
): FieldValue {
  if (reading === 'map') return mapBase(before, present, value)
  return reading === 'set' || before === undefined ? present : before.base
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

function isTouched(reading: MergeStrategy, base: FieldValue, value: FieldValue): boolean {
  if (reading !== 'map') return !sameValue(base, value)
  const [was, next] = [mapOf(base), mapOf(value)]
  return [...keysOf(was, next)].some((key) => !sameMember(was, next, key))
}
