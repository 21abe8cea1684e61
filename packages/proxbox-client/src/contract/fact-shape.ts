import {
  type Facts,
  type Field,
  type FieldClass,
  type Fields,
  fieldsOfClass,
  type JsonValue,
  type ModelName,
  type Observations,
  registry,
} from '@netbox-pbs/core'
import { z } from 'zod'

/** RFC 3339 in UTC with `Z`, a fraction only when it is not zero. */
export const Datetime = z
  .string()
  .regex(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/,
    'must be a time in UTC like 2026-05-01T02:00:00Z',
  )

/** A schema for each value; frames name a server where rows have its id. */
type ShapeOf<Values> = {
  readonly [K in keyof Values]: z.ZodType<K extends 'server' ? string : Values[K]>
}

/** The facts of a model that a frame carries, in registry order. */
// The registry has the same fields as a value and as a type.
export const factShape = <M extends ModelName>(model: M): ShapeOf<Facts<M>> =>
  shapeOf(model, 'key', 'immutable', 'source') as ShapeOf<Facts<M>>

/** The measurements that a frame carries under `observed`. `last_seen_at` follows from the run. */
export const observationShape = <M extends ModelName>(model: M): ShapeOf<Observations<M>> => {
  const { last_seen_at: _, ...shape } = shapeOf(model, 'observation')
  return shape as ShapeOf<Observations<M>>
}

function shapeOf(model: ModelName, ...classes: ReadonlyArray<FieldClass>): Record<string, z.ZodType> {
  const fields: Fields = registry[model].fields
  return Object.fromEntries(
    fieldsOfClass(model, ...classes).flatMap((name) => {
      const field = fields[name]
      return field === undefined ? [] : [[name, schemaOf(field)]]
    }),
  )
}

// A frame keeps the text of a source whole: REST alone limits lengths and choices.
function schemaOf(field: Field): z.ZodType {
  const schema = baseOf(field)
  return field.nullable === true ? schema.nullable() : schema
}

function baseOf(field: Field): z.ZodType {
  switch (field.type) {
    case 'text':
    case 'choice':
    case 'reference':
      return z.string()
    case 'integer':
      return z.int().min(field.min).max(field.max)
    case 'boolean':
      return z.boolean()
    case 'datetime':
      return Datetime
    case 'json':
      return JsonFact
  }
}

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
