import { z } from 'zod'
import type { Frame } from './frame.ts'
import { frameShapes } from './frame-schemas.ts'
import { JsonFact, sortKeys } from './json-value.ts'

type Encode = (value: unknown) => string | undefined

/** How a value is written, from its schema: objects in the order of their shape, JSON facts with sorted keys. */
function encoderOf(schema: z.core.$ZodType): Encode {
  if (schema === JsonFact) return (value) => JSON.stringify(sortKeys(value as Parameters<typeof sortKeys>[0]))
  if (schema instanceof z.ZodObject) return objectEncoder(schema)
  if (schema instanceof z.ZodArray) {
    const item = encoderOf(schema.element)
    return (value) => `[${(value as ReadonlyArray<unknown>).map((entry) => item(entry) ?? 'null').join(',')}]`
  }
  return JSON.stringify
}

function objectEncoder(schema: z.ZodObject): Encode {
  const members = Object.entries(schema.shape).map(
    ([key, member]) => [key, `${JSON.stringify(key)}:`, encoderOf(member)] as const,
  )
  return (value) => {
    const record = value as Readonly<Record<string, unknown>> // The frame's type says so: encoders follow the shapes.
    let text = ''
    for (const [key, prefix, encode] of members) {
      const member = record[key]
      const encoded = member === undefined ? undefined : encode(member)
      if (encoded !== undefined) text += `${text === '' ? '' : ','}${prefix}${encoded}`
    }
    return `{${text}}`
  }
}

const encoders = Object.fromEntries(Object.entries(frameShapes).map(([name, shape]) => [name, objectEncoder(shape)]))

/**
 * A frame as its line, newline included. Canonical: keys in the contract's order whatever the order of the input, keys
 * that the contract does not know left out, no white space, so that equal facts are equal bytes.
 */
export function encodeFrame(frame: Frame): string {
  return `${encoders[frame.frame]?.(frame)}\n`
}
