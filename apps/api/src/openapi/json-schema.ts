import { z } from 'zod'

/** A zod schema as the OpenAPI document has it. */
export function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema)
  return rest
}
