import type { FieldErrors } from '@netbox-pbs/core'
import { z } from 'zod'
import { isDictionary, noDictionary, ownValue, readMessage, type WriteMode } from './validate-item.ts'
import { fieldErrors } from './zod-errors.ts'

/** How the body of a record is read, which is no inventory row. */
interface RecordBody<Shape extends z.ZodRawShape> {
  readonly schema: z.ZodObject<Shape>
  /** Fields that a new record, or one that is replaced, needs. */
  readonly required: ReadonlyArray<keyof Shape & string>
  /** Fields of NetBox that are not built, with a sentence for those that are given. Blank and null pass. */
  readonly unbuilt: Readonly<Record<string, string>>
}

/** The fields of a body that were given, or the errors of each. */
type ReadRecord<Shape extends z.ZodRawShape> =
  | {
      readonly _tag: 'values'
      readonly values: { readonly [K in keyof Shape]?: z.output<Shape[K]> }
      /** For the change log; empty: none. */
      readonly message: string
    }
  | { readonly _tag: 'rejected'; readonly errors: FieldErrors }

/**
 * Reads the body of a record by its schema, in NetBox's words. Unknown and read-only fields are ignored,
 * as in NetBox.
 */
export function readRecord<Shape extends z.ZodRawShape>(
  { schema, required, unbuilt }: RecordBody<Shape>,
  body: unknown,
  mode: WriteMode,
): ReadRecord<Shape> {
  if (!isDictionary(body)) return { _tag: 'rejected', errors: noDictionary(body) }
  const lacking = mode === 'whole' ? required.filter((name) => ownValue(body, name) === undefined) : []
  const notBuilt = Object.entries(unbuilt).filter(([name]) => !isBlank(ownValue(body, name)))
  const read = z.safeParse(schema.partial(), body)
  const { message, errors: unusable } = readMessage(body)
  const errors: FieldErrors = {
    ...attachedErrors(body),
    ...Object.fromEntries(notBuilt.map(([name, why]) => [name, [why]])),
    ...unusable,
    ...(read.success ? {} : fieldErrors(body, read.error)),
    ...Object.fromEntries(lacking.map((name) => [name, ['This field is required.']])),
  }
  if (!read.success || Object.keys(errors).length > 0) return { _tag: 'rejected', errors }
  const values = read.data as { readonly [K in keyof Shape]?: z.output<Shape[K]> } // border: partial() keeps the shape
  return { _tag: 'values', values, message }
}

/** Fields that NetBox accepts for every object and that records do not keep, with their names in a sentence. */
const attachedWords: Readonly<Record<string, string>> = {
  tags: 'Tags are',
  add_tags: 'Tags are',
  remove_tags: 'Tags are',
  custom_fields: 'Custom fields are',
}

/**
 * Rejects tags and custom fields, which would be dropped. Empty values pass, so that a client may send back
 * a record it has read.
 */
const attachedErrors = (body: object): FieldErrors =>
  Object.fromEntries(
    Object.entries(attachedWords).flatMap(([name, what]) =>
      isNothing(ownValue(body, name)) ? [] : [[name, [`${what} not offered yet: leave ${name} out.`]]],
    ),
  )

const isNothing = (value: unknown): boolean =>
  isBlank(value) || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === ''

/** Text of at most so many characters that a database can store, trimmed. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max, `Ensure this field has no more than ${max} characters.`)
    .refine((given) => !given.includes('\0'), 'Null characters are not allowed.')
    .refine((given) => given.isWellFormed(), 'Surrogate characters are not allowed.')
