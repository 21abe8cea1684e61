import { z } from 'zod'

/** An error in one sentence. */
export const Detail = z.object({ detail: z.string() })

const sentences = z.array(z.string())

/** The errors of each field or parameter. */
export const FieldErrors = z
  .record(
    z.string(),
    z.union([
      sentences,
      z.record(z.string(), z.union([z.string(), sentences])),
      z.array(z.union([sentences, z.record(z.string(), sentences)])),
    ]),
  )
  .describe(
    'Errors by field or parameter; `__all__` has those that concern no single one. Those of tags may stand by the place of each, those of custom fields by name.',
  )

/** The errors of the objects of a list. */
export const ObjectErrors = z
  .object({
    detail: z.string(),
    errors: z.array(z.object({ index: z.int().optional(), id: z.int().optional(), errors: FieldErrors })),
  })
  .describe('The objects of a list that prevent the request, by their place in it or their id.')
