import type { JsonValue } from '@netbox-pbs/core'
import { z } from 'zod'

/** Deeper JSON is refused, so that no reader of it can run out of stack. */
const maxDepth = 32

/** Any JSON value of bounded depth whose integers are exact. */
export const JsonFact: z.ZodType<JsonValue> = z.custom<JsonValue>(
  (value) => isJson(value, 0),
  `must be JSON at most ${maxDepth} levels deep, its integers within 2^53-1`,
)

function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    case 'object':
      if (value === null) return true
      if (depth >= maxDepth) return false
      // Parsed JSON has own enumerable keys only; Object.values would copy every one of a million file lists.
      for (const key in value) if (!isJson(Reflect.get(value, key), depth + 1)) return false
      return true
    default:
      return false
  }
}

/** The same value with the keys of every object in code unit order, so that equal values are equal bytes. */
export function sortKeys(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (isArray(value)) return value.map(sortKeys)
  const sorted: Array<[string, JsonValue]> = []
  for (const key of Object.keys(value).sort()) sorted.push([key, sortKeys(value[key] ?? null)])
  // Not by assignment: `__proto__` may be a key.
  return Object.fromEntries(sorted)
}

const isArray = (value: JsonValue): value is ReadonlyArray<JsonValue> => Array.isArray(value)
