import {
  type FieldErrors,
  type Filter,
  isAttachedParameter,
  type KnownRows,
  last,
  maxValues,
  type OrderTerm,
  type PatternFaults,
  parseFilter,
  parseOrdering,
  parseTimestamp,
  patternErrors,
  patternsOf,
  type RecordFields,
  type ReferencedRows,
  type ReferenceLookup,
  referencedRows,
  requestFilters,
  resolveReferences,
  type SentPattern,
  sentPatterns,
  splitParameter,
  suffixesOf,
  unbuiltFilter,
} from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { z } from 'zod'
import { branchParameter } from './branch-place.ts'
import { filterParameters } from './filter-parameters.ts'
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

/** The filter that the query of a list of records gives, and the names of ignored parameters. */
export interface RecordQuery<F> {
  readonly filter: F & { readonly where: ReadonlyArray<Filter>; readonly order: ReadonlyArray<OrderTerm> }
  readonly ignored: ReadonlyArray<string>
}

/** Parameters of every list of records that are not filters. */
const common: ReadonlySet<string> = new Set([
  'limit',
  'offset',
  'ordering',
  'brief',
  'fields',
  'omit',
  'format',
  branchParameter,
])

/** How a list of records is filtered. */
interface FilterDescription<F> {
  /** Fields by which it is filtered with every lookup of their type, and ordered. */
  readonly fields?: RecordFields
  /** Parameters that are more than a comparison with a field. */
  readonly parameters?: Parameters<F>
  /** More filters of NetBox that are refused, since their meaning is not built. */
  readonly unbuilt?: ReadonlyArray<string>
}

/** Finds the records that references of a filter name. */
export type FindReferenced<R = never> = (named: ReferencedRows) => Effect.Effect<KnownRows, StoreFailed, R>

const noneReferenced: FindReferenced = () => Effect.succeed({ idsByName: new Map(), ids: new Set() })

/** The filter of a list of records, as the document has it and as a query gives it. */
export interface RecordFilter<F> {
  /** The fields of each record, in their order. */
  readonly columns: ReadonlyArray<string>
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly in: 'query'; readonly schema: object }>
  readonly read: <R = never>(
    params: URLSearchParams,
    find?: FindReferenced<R>,
  ) => Effect.Effect<RecordQuery<F>, HttpError | StoreFailed, InventoryLists | R>
}

/**
 * The filter of a list of records. A wrong parameter, or a field of `record` without a filter, is a
 * 400 with NetBox's sentence; blank and unknown ones are ignored.
 */
export const recordFilter = <F extends object = object>(
  record: z.ZodObject,
  { fields = {}, parameters = {} as Parameters<F>, unbuilt = [] }: FilterDescription<F> = {}, // border: without parameters F has no keys
): RecordFilter<F> => ({
  columns: Object.keys(record.shape),
  parameters: [
    ...filterParameters(fields),
    ...Object.values<Parameter<unknown>>(parameters).map(
      ({ name, schema }) => ({ name, in: 'query', schema }) as const,
    ),
    ...(Object.keys(fields).length === 0
      ? []
      : [{ name: 'ordering', in: 'query', schema: { type: 'string' } } as const]),
  ],
  read: (params, find = noneReferenced) =>
    readFilter(params, { record: new Set([...Object.keys(record.shape), ...unbuilt]), fields, parameters, find }),
})

const readFilter = <F extends object, R>(
  params: URLSearchParams,
  {
    record,
    fields,
    parameters,
    find,
  }: {
    readonly record: ReadonlySet<string>
    readonly fields: RecordFields
    readonly parameters: Parameters<F>
    readonly find: FindReferenced<R>
  },
): Effect.Effect<RecordQuery<F>, HttpError | StoreFailed, InventoryLists | R> =>
  Effect.gen(function* () {
    const filter: Record<string, unknown> = {}
    const where: Array<Filter> = []
    const patterns: Array<SentPattern> = []
    const lookups: Array<ReferenceLookup> = []
    const ignored: Array<string> = []
    const errors: Record<string, FieldErrors[string]> = {}
    const own = new Map(
      Object.entries<Parameter<unknown>>(parameters).map(([key, { name, read }]) => [name, { key, read }]),
    )
    for (const name of new Set(params.keys())) {
      if (common.has(name)) continue
      const sent = params.getAll(name)
      const special = own.get(name)
      if (special !== undefined) {
        const { value, wrong } = readSpecial(
          special.read,
          sent.filter((text) => text !== ''),
        )
        if (wrong !== undefined) errors[name] = [wrong]
        if (value !== undefined) filter[special.key] = value
        continue
      }
      // Forms send blank choices, which are none here.
      const given = sent.filter((text) => text !== '')
      const read = parseFilter(fields, name, given.length > 0 ? given : sent)
      if (given.length === 0 && (read._tag === 'invalid' || read._tag === 'reference')) continue
      if (read._tag === 'filter') {
        where.push(read.filter)
        patterns.push(...patternsOf(name, read.filter))
      } else if (read._tag === 'reference') lookups.push(read.lookup)
      else if (read._tag === 'invalid') errors[name] = [read.message]
      else if (read._tag === 'unknown') {
        const unbuilt = unbuiltRecordFilter({ record, fields, own }, name, sent)
        if (unbuilt === null) ignored.push(name)
        else errors[name] = [unbuilt]
      }
    }
    const faults = yield* wrongPatterns(sentPatterns({ patterns }))
    const referring = lookups.length === 0 ? null : resolveReferences(lookups, yield* find(referencedRows({ lookups })))
    Object.assign(errors, patternErrors(patterns, faults), referring?.errors)
    if (Object.keys(errors).length > 0) return yield* invalid(errors)
    where.push(...(referring?.filters ?? []))
    const order = parseOrdering(last(params, 'ordering'), (field) => Object.hasOwn(fields, field))
    return { filter: { ...(filter as F), where, order }, ignored } // border: each value was read by the parameter of its field
  })

const readSpecial = (read: Parameter<unknown>['read'], texts: ReadonlyArray<string>): Read<unknown> => {
  if (texts.length > maxValues) return { wrong: `At most ${maxValues} values can be given.` }
  return texts.length > 0 ? read(texts) : {}
}

/** What is wrong with regular expressions. Asks nothing when there are none. */
export const wrongPatterns = (
  patterns: ReadonlyArray<string>,
): Effect.Effect<PatternFaults, StoreFailed, InventoryLists> =>
  patterns.length === 0
    ? Effect.succeed(new Map())
    : Effect.flatMap(InventoryLists, (lists) => lists.patternFaults({ patterns }))

/** Rejects a filter that a list of records does not have yet; null: the parameter means nothing. */
function unbuiltRecordFilter(
  {
    record,
    fields,
    own,
  }: {
    readonly record: ReadonlySet<string>
    readonly fields: RecordFields
    readonly own: ReadonlyMap<string, unknown>
  },
  parameter: string,
  texts: ReadonlyArray<string>,
): string | null {
  if (texts.every((text) => text === '')) return null
  if (parameter === 'start') return 'This list has no cursor: read it with limit and offset.'
  if (isAttachedParameter(parameter)) return `This list has no tags and no custom fields: leave ${parameter} out.`
  const { name, suffix } = splitParameter(parameter)
  // The type of a field with a filter says that it has no such lookup, and NetBox would ignore it too.
  if (Object.hasOwn(fields, name)) return unbuiltFilter(parameter)
  const isOurs = record.has(name) || own.has(name) || name === 'q' || Object.hasOwn(requestFilters, name)
  const isLookup = suffix === null || netboxLookups.has(suffix)
  return isOurs && isLookup ? notOffered(parameter) : unbuiltFilter(parameter)
}

const netboxLookups = new Set([...suffixesOf('text'), ...suffixesOf('integer')])

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

const hasNull = (text: string): boolean => text.includes('\0')
const noNull = { wrong: 'Null characters are not allowed.' }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
