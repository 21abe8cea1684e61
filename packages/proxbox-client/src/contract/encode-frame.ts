import type { JsonValue } from '@netbox-pbs/core'
import { z } from 'zod'
import type { Frame } from './frame.ts'
import { frameShapes } from './frame-schemas.ts'
import { JsonFact, sortKeys } from './json-value.ts'

/** Puts the keys of a value into the contract's order; null: every value of this kind already is. */
type Arrange = ((value: unknown) => unknown) | null

function arrangerOf(schema: z.core.$ZodType): Arrange {
  if (schema === JsonFact) return (value) => (value === undefined ? value : sortKeys(value as JsonValue))
  if (schema instanceof z.ZodObject) return objectArranger(schema)
  if (schema instanceof z.ZodArray) {
    const item = arrangerOf(schema.element)
    return item === null ? null : (value) => (value as ReadonlyArray<unknown>).map(item)
  }
  if (schema instanceof z.ZodOptional) {
    const inner = arrangerOf(schema.unwrap())
    return inner === null ? null : (value) => (value === undefined ? value : inner(value))
  }
  return null
}

// The casts hold what the frame's type says: arrangers follow the shapes of the same frames.
function objectArranger(schema: z.ZodObject) {
  const members = Object.entries(schema.shape).map(([key, member]) => [key, arrangerOf(member)] as const)
  return (value: unknown) => {
    const record = value as Readonly<Record<string, unknown>>
    const arranged: Record<string, unknown> = {}
    for (const [key, arrange] of members) arranged[key] = arrange === null ? record[key] : arrange(record[key])
    return arranged
  }
}

const arrangers = {
  scope: objectArranger(frameShapes.scope),
  server: objectArranger(frameShapes.server),
  datastore: objectArranger(frameShapes.datastore),
  namespace: objectArranger(frameShapes.namespace),
  job: objectArranger(frameShapes.job),
  task: objectArranger(frameShapes.task),
  group: objectArranger(frameShapes.group),
  complete: objectArranger(frameShapes.complete),
  failed: objectArranger(frameShapes.failed),
  warning: objectArranger(frameShapes.warning),
  end: objectArranger(frameShapes.end),
}

/**
 * A frame as its line, newline included. Canonical: keys in the contract's order whatever the order of the input, keys
 * that the contract does not know left out, no white space, so that equal facts are equal bytes.
 */
export function encodeFrame(frame: Frame): string {
  return `${JSON.stringify(arrangers[frame.frame](frame))}\n`
}
