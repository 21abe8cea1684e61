import type { FieldValue } from '../registry/field.ts'
import { sameValue } from '../sync/same-value.ts'

/** The keys of a value that is a map. */
export type Members = Readonly<Record<string, FieldValue>>

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
