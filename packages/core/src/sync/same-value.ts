import type { FieldValue } from '../registry/field.ts'

/** Whether two values are the same fact: scalars by identity, lists in order, maps whatever the order of their keys. */
export function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false
    return true
  }
  const left: Readonly<Record<string, FieldValue>> = a as Readonly<Record<string, FieldValue>> // border: Array.isArray does not narrow readonly arrays away
  const right: Readonly<Record<string, FieldValue>> = b as Readonly<Record<string, FieldValue>>
  let keys = 0
  for (const key in left) {
    const value = left[key] ?? null
    const other = right[key] ?? null
    if (value !== other && !sameValue(value, other)) return false
    if (other === null && !(key in right)) return false
    keys++
  }
  for (const _ in right) keys--
  return keys === 0
}
