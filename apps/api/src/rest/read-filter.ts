import { type FieldErrors, netboxLookups, parseTimestamp, unbuiltFilter, unbuiltLookup } from '@netbox-pbs/core'
import { Effect } from 'effect'
import type { z } from 'zod'
import { branchParameter } from './branch-place.ts'
import { type HttpError, invalid } from './http-error.ts'

/** Result of reading a parameter: nothing, a filter value, or an error. */
type Read<A> = { readonly value?: A; readonly wrong?: string }

/** A parameter of a list of records: its name, its schema in the document, and how its values are read. */
interface Parameter<A> {
  readonly name: string
  readonly schema: object
  readonly read: (texts: ReadonlyArray<string>) => Read<A>
}

type Parameters<F> = { readonly [K in keyof F]-?: Parameter<Exclude<F[K], undefined>> }

/** Values of one parameter that are accepted: more would make a statement without bound. */
const maxValues = 1000

/** The filter that the query of a list of records gives, and the names of ignored parameters. */
export interface RecordQuery<F> {
  readonly filter: F
  readonly ignored: ReadonlyArray<string>
}

/** Parameters of every list of records that are not filters. */
const common: ReadonlySet<string> = new Set(['limit', 'offset', 'format', branchParameter])

/** The filter of a list of records, as the document has it and as a query gives it. */
export interface RecordFilter<F> {
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly in: 'query'; readonly schema: object }>
  readonly read: (params: URLSearchParams) => Effect.Effect<RecordQuery<F>, HttpError>
}

/**
 * The filter of a list of records. A wrong parameter, or a field of `record` without a filter, is a
 * 400 with NetBox's sentence; blank and unknown ones are ignored, and `more` are parameters of the
 * list that are no filters.
 */
export const recordFilter = <F extends object>(
  record: z.ZodObject,
  parameters: Parameters<F>,
  more: Readonly<Record<string, object>> = {},
): RecordFilter<F> => ({
  parameters: [
    ...Object.values<Parameter<unknown>>(parameters),
    ...Object.entries(more).map(([name, schema]) => ({ name, schema })),
  ].map(({ name, schema }) => ({ name, in: 'query', schema })),
  read: (params) =>
    readFilter(params, { record: new Set(Object.keys(record.shape)), parameters, more: Object.keys(more) }),
})

function readFilter<F extends object>(
  params: URLSearchParams,
  {
    record,
    parameters,
    more,
  }: {
    readonly record: ReadonlySet<string>
    readonly parameters: Parameters<F>
    readonly more: ReadonlyArray<string>
  },
): Effect.Effect<RecordQuery<F>, HttpError> {
  const filter: Record<string, unknown> = {}
  const errors: Record<string, FieldErrors[string]> = {}
  const known = new Set([...common, ...more])
  for (const [field, { name, read }] of Object.entries<Parameter<unknown>>(parameters)) {
    known.add(name)
    const texts = params.getAll(name).filter((text) => text !== '')
    const { value, wrong } =
      texts.length > maxValues
        ? { wrong: `At most ${maxValues} values can be given.` }
        : texts.length > 0
          ? read(texts)
          : {}
    if (wrong !== undefined) errors[name] = [wrong]
    if (value !== undefined) filter[field] = value
  }
  const unread = [...new Set(params.keys())].filter((name) => !known.has(name))
  const ignored = unread.filter((name) => {
    const unbuilt = unbuiltRecordFilter({ fields: record, known }, name, params.getAll(name))
    if (unbuilt !== null) errors[name] = [unbuilt]
    return unbuilt === null
  })
  if (Object.keys(errors).length > 0) return Effect.fail(invalid(errors))
  return Effect.succeed({ filter: filter as F, ignored }) // border: each value was read by the parameter of its field
}

/** Rejects a filter that a list of records does not have yet; null: the parameter means nothing. */
function unbuiltRecordFilter(
  { fields, known }: { readonly fields: ReadonlySet<string>; readonly known: ReadonlySet<string> },
  parameter: string,
  texts: ReadonlyArray<string>,
): string | null {
  if (texts.every((text) => text === '')) return null
  if (parameter === 'start') return 'This list has no cursor: read it with limit and offset.'
  if (fields.has(parameter) || parameter === 'q') return notOffered(parameter)
  const [name = '', lookup, ...more] = parameter.split('__')
  if (lookup !== undefined && more.length === 0 && netboxLookups.has(lookup) && (fields.has(name) || known.has(name))) {
    return unbuiltLookup(name, lookup)
  }
  return unbuiltFilter({}, parameter, texts)
}

const notOffered = (parameter: string): string =>
  `This list cannot be filtered by ${parameter} yet: leave it out, and select among the rows of the answer.`

/** Some of these choices, each under the name that REST gives it. */
export const choices = <A extends string>(
  name: string,
  all: ReadonlyArray<A>,
  nameOf: (choice: A) => string = (choice) => choice,
): Parameter<ReadonlyArray<A>> => ({
  name,
  schema: { type: 'array', items: { type: 'string', enum: all.map(nameOf) } },
  read: (texts) => {
    const unknown = texts.find((text) => !all.some((choice) => nameOf(choice) === text))
    return unknown === undefined
      ? { value: all.filter((choice) => texts.includes(nameOf(choice))) }
      : { wrong: `Select a valid choice. ${unknown} is not one of the available choices.` }
  },
})

/** Whole numbers. A number beyond the range of ids matches no row. */
export const numbers = (name: string): Parameter<ReadonlyArray<number>> => ({
  name,
  schema: { type: 'array', items: { type: 'integer' } },
  read: (texts) =>
    texts.every((text) => /^\s*[+-]?\d+\s*$/.test(text))
      ? { value: texts.map(Number).filter(Number.isSafeInteger) }
      : { wrong: 'Enter a whole number.' },
})

/**
 * The id of one object; of several the last one counts. A number beyond the range of ids matches no
 * object, as 0 does.
 */
export const id = (name: string): Parameter<number> => ({
  name,
  schema: { type: 'integer' },
  read: (given) => {
    const text = given.at(-1) ?? ''
    if (!/^\s*\d+\s*$/.test(text)) return { wrong: 'Enter a whole number.' }
    return { value: Number.isSafeInteger(Number(text)) ? Number(text) : 0 }
  },
})

/** One whole number, not negative; of several the last one counts. */
export const wholeNumber = (name: string): Parameter<number> => ({
  name,
  schema: { type: 'integer', minimum: 0 },
  read: (given) => {
    const value = Number(given.at(-1))
    return /^\s*\d+\s*$/.test(given.at(-1) ?? '') && Number.isSafeInteger(value)
      ? { value }
      : { wrong: 'Enter a whole number.' }
  },
})

/** Texts as they are. */
export const texts = (name: string): Parameter<ReadonlyArray<string>> => ({
  name,
  schema: { type: 'array', items: { type: 'string' } },
  read: (given) => (given.some(hasNull) ? noNull : { value: given }),
})

/** A text to look for; of several the last one counts. */
export const search = (name: string): Parameter<string> => ({
  name,
  schema: { type: 'string' },
  read: (given) => {
    const text = given.at(-1)?.trim() ?? ''
    return hasNull(text) ? noNull : text === '' ? {} : { value: text }
  },
})

/** UUIDs. */
export const uuids = (name: string): Parameter<ReadonlyArray<string>> => ({
  name,
  schema: { type: 'array', items: { type: 'string', format: 'uuid' } },
  read: (given) => (given.every((text) => uuid.test(text)) ? { value: given } : { wrong: 'Enter a valid UUID.' }),
})

/** A moment; of several the last one counts. */
export const timestamp = (name: string): Parameter<string> => ({
  name,
  schema: { type: 'string', format: 'date-time' },
  read: (given) => {
    const value = parseTimestamp(given.at(-1) ?? '')
    return value === null ? { wrong: 'Enter a valid date/time.' } : { value }
  },
})

/** True or false; of several the last one counts. */
export const flag = (name: string): Parameter<boolean> => ({
  name,
  schema: { type: 'boolean' },
  read: (given) => {
    const text = given.at(-1)?.toLowerCase()
    return text === 'true' || text === 'false' ? { value: text === 'true' } : { wrong: 'Must be true or false.' }
  },
})

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const hasNull = (text: string): boolean => text.includes('\0')
const noNull = { wrong: 'Null characters are not allowed.' }
