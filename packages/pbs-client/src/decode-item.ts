import type { z } from 'zod'
import type { WithUnsafeIntegers } from './fields.ts'
import { blankUnsafeIntegers } from './unsafe-integers.ts'

/** A row lacks a field, or has one of another type. The message names the field. */
export class UnexpectedShape extends Error {}

/** Reads one row: integers beyond 2^53-1 become null and are listed. Throws {@link UnexpectedShape}. */
export const decodeItem = <T extends object>(schema: z.ZodType<T>, value: unknown): WithUnsafeIntegers<T> => {
  const unsafeIntegers = blankUnsafeIntegers(value)
  const parsed = schema.safeParse(value)
  // What zod returns is ours, so it need not be copied.
  if (parsed.success) return Object.assign(parsed.data, { unsafeIntegers })
  const issue = parsed.error.issues[0]
  const field = issue === undefined || issue.path.length === 0 ? 'the answer' : `field ${issue.path.join('.')}`
  throw new UnexpectedShape(`${field}: ${issue?.message ?? 'not as expected'}`)
}
