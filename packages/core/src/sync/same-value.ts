import type { FieldValue } from '../registry/field.ts'

/** Whether two values are the same fact: scalars by identity, lists in order, maps whatever the order of their keys. */
export function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]))
  }
  const left: Readonly<Record<string, FieldValue>> = a as Readonly<Record<string, FieldValue>> // border: Array.isArray does not narrow readonly arrays away
  const right: Readonly<Record<string, FieldValue>> = b as Readonly<Record<string, FieldValue>>
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && sameValue(left[key] ?? null, right[key] ?? null))
  )
}
