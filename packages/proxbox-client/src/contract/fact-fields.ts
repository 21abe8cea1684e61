import { type Field, type FieldClass, type Fields, fieldsOfClass, type ModelName, registry } from '@netbox-pbs/core'
import { z } from 'zod'
import { JsonFact } from './json-value.ts'

/** RFC 3339 in UTC with `Z`, a fraction only when it is not zero. */
export const Datetime = z
  .string()
  .regex(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/,
    'must be a time in UTC like 2026-05-01T02:00:00Z',
  )

/** A column on the wire: frames name a server by its name, and call `datastore_name` `datastore`. */
export const wireName = (column: string): string => (column === 'datastore_name' ? 'datastore' : column)

/** The columns of a model that a frame carries as facts, in registry order, under their names on the wire. */
export const factShape = (model: ModelName): Readonly<Record<string, z.ZodType>> =>
  shapeOf(model, 'key', 'immutable', 'source')

/** The readings of the moment that a frame carries under `observed`. `last_seen_at` follows from the run. */
export const observationShape = (model: ModelName): Readonly<Record<string, z.ZodType>> =>
  without(shapeOf(model, 'observation'), 'last_seen_at')

/** A shape without some of its keys, in the same order. */
export function without(
  shape: Readonly<Record<string, z.ZodType>>,
  ...keys: ReadonlyArray<string>
): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(Object.entries(shape).filter(([key]) => !keys.includes(key)))
}

function shapeOf(model: ModelName, ...classes: ReadonlyArray<FieldClass>): Record<string, z.ZodType> {
  const fields: Fields = registry[model].fields
  return Object.fromEntries(
    fieldsOfClass(model, ...classes).flatMap((name) => {
      const field = fields[name]
      return field === undefined ? [] : [[wireName(name), schemaOf(field)]]
    }),
  )
}

// A frame keeps a source's text whole and as it is: lengths and choices are REST's business.
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
