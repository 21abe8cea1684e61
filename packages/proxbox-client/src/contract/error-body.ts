import { z } from 'zod'

/** One refused field. `loc` starts with where it was: `["body", "port"]`. */
export const ValidationIssue = z.object({
  type: z.string().optional(),
  loc: z.array(z.union([z.string(), z.number()])),
  msg: z.string(),
})
export type ValidationIssue = z.output<typeof ValidationIssue>

/** Every error answer: `{"detail": "…"}`, or for a refused request a list that names the fields. */
export const ErrorBody = z.object({ detail: z.union([z.string(), z.array(ValidationIssue)]) })
export type ErrorBody = z.output<typeof ErrorBody>

/** The `detail` of a 400 for a name that another endpoint has. */
export const nameTakenDetail = 'PBS endpoint name already exists'

/** The `detail` of a 404 for an endpoint. */
export const endpointNotFoundDetail = 'PBS endpoint not found'

const maxIssues = 50
const maxLength = 255

/**
 * The 422 body for a request that its schema rejects: the fields and why, never the values.
 *
 * @param where - The first part of `loc`: `body`, `query` or `path`.
 */
export function validationErrorBody(error: z.ZodError, where = 'body'): ErrorBody {
  return {
    detail: fieldErrors(error.issues)
      .slice(0, maxIssues)
      .map(({ path, message }) => ({
        type: 'request_validation_error',
        loc: [where, ...path.map((part) => (typeof part === 'number' ? part : String(part).slice(0, maxLength)))],
        msg: message,
      })),
  }
}

/** The refused fields, one by one: a key that is not known is a field too. */
export function fieldErrors(
  issues: ReadonlyArray<z.core.$ZodIssue>,
): ReadonlyArray<{ readonly path: Array<PropertyKey>; readonly message: string }> {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not a field of this request' }))
      : [issue],
  )
}
