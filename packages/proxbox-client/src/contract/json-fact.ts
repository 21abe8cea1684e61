import type { JsonValue } from '@netbox-pbs/core'
import { z } from 'zod'

/** The most levels of lists and objects, so that no reader of a value can run out of stack. */
const maxDepth = 32

/**
 * Any JSON value of bounded depth whose integers are exact. Reading it sorts the keys of every object by code units, so
 * that equal values are equal bytes.
 */
export const JsonFact: z.ZodType<JsonValue> = z
  .custom<JsonValue>(
    (value) => isJson(value, 0),
    `must be JSON at most ${maxDepth} levels deep, its integers within 2^53-1`,
  )
  .transform(sortKeys)

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

function sortKeys(value: JsonValue): JsonValue {
  // The gateway writes the files of a million snapshots in order: looking costs less than copying.
  if (typeof value !== 'object' || value === null || isSorted(value)) return value
  if (isArray(value)) return value.map(sortKeys)
  const sorted: Array<[string, JsonValue]> = []
  for (const key of Object.keys(value).sort()) sorted.push([key, sortKeys(value[key] ?? null)])
  // Not by assignment: `__proto__` may be a key.
  return Object.fromEntries(sorted)
}

function isSorted(value: object): boolean {
  const list = Array.isArray(value)
  let last = ''
  for (const key in value) {
    if (!list && key < last) return false
    last = key
    const child: unknown = Reflect.get(value, key)
    if (typeof child === 'object' && child !== null && !isSorted(child)) return false
  }
  return true
}

const isArray = (value: JsonValue): value is ReadonlyArray<JsonValue> => Array.isArray(value)
