import type { FieldValue } from '../registry/field.ts'
import { sameValue } from '../sync/same-value.ts'

/** A field of a branch: main's value when it was first touched, and the branch's value. */
export interface Touched {
  readonly base: FieldValue
  readonly value: FieldValue
}

/** Touched fields by name. */
export type TouchedFields = Readonly<Record<string, Touched>>

/**
 * The touched fields of an object after a later run has read its source again: values are the later run's, the base of a field that was touched before stays. `read` is what that run would
 * change in main as it is now. A field that it would no longer change leaves the branch: source and main agree on it.
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
