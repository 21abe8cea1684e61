import {
  type Facts,
  type Field,
  type FieldClass,
  type Fields,
  fieldsOfClass,
  type ModelName,
  type Observations,
  registry,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { JsonFact } from './json-fact.ts'

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
