import type { Field, Fields, ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'
import {
  isAttachedParameter,
  type ListDefinitions,
  noListDefinitions,
  parseAttachedFilter,
} from './attached-filters.ts'
import { isId, notAChoice, parseFilter, parseUuid, type ReferenceLookup } from './filter-values.ts'
import { type FieldErrors, type Filter, type ListQuery, type PageRequest, requestFilters } from './list-query.ts'
import { last, type Presentation, parseOrdering, parsePage, parsePresentation } from './page-request.ts'
import { unbuiltFilter } from './unbuilt-filter.ts'

/**
 * A list request read against the registry. Names of other rows in it, such as `server=pbs-a`,
 * still have to be looked up, and regular expressions tried: see `resolveListQuery`.
 */
export interface ListRequest<M extends ModelName = ModelName> {
  readonly query: ListQuery<M>
  readonly presentation: Presentation
  /** Names of parameters that changed nothing, in the order sent. */
  readonly ignored: ReadonlyArray<string>
  readonly lookups: ReadonlyArray<ReferenceLookup>
  readonly patterns: ReadonlyArray<SentPattern>
  readonly errors: FieldErrors
  /** Paging parameters that exclude each other; judged after the filters. */
  readonly pageError: string | null
}

/** Columns that every model has in addition to those of the registry. */
const commonColumns = {
  id: { class: 'derived', type: 'integer', min: 1, max: Number.MAX_SAFE_INTEGER, label: 'ID', readOnly: true },
  created: { class: 'derived', type: 'datetime', label: 'Created', readOnly: true },
  last_updated: { class: 'derived', type: 'datetime', label: 'Last updated', readOnly: true },
} as const satisfies Fields

/** The fields that a model's list is filtered and ordered by: those that REST shows, but JSON. */
export const listFields = (model: ModelName): Fields =>
  Object.fromEntries(
    Object.entries<Field>({ ...commonColumns, ...registry[model].fields }).filter(
      ([, field]) => !field.internal && field.type !== 'json',
    ),
  )

/** Parameters that are no filters; `_branch` says which inventory is listed. */
const reserved = new Set(['limit', 'offset', 'start', 'ordering', 'q', 'brief', 'fields', 'omit', 'format', '_branch'])

const firstPage: PageRequest = { _tag: 'offset', limit: 1, offset: 0 }

/**
 * Reads the parameters of a list as NetBox does: filters by column, repeats as alternatives,
 * unknown names ignored but reported. A filter of NetBox that is not built yet is an error. Tags and
 * custom fields must have been looked up (see `namedDefinitions`).
 */
export function parseListQuery<M extends ModelName>(
  model: M,
  params: URLSearchParams,
  definitions: ListDefinitions = noListDefinitions,
): ListRequest<M> {
  const fields = listFields(model)
  const filters: Array<Filter> = []
  const lookups: Array<ReferenceLookup> = []
  const patterns: Array<SentPattern> = []
  const ignored: Array<string> = []
  const errors: Record<string, ReadonlyArray<string>> = {}

  for (const name of new Set(params.keys())) {
    if (reserved.has(name)) continue
    const texts = params.getAll(name)
    const read = Object.hasOwn(requestFilters, name)
      ? parseRequestFilter(name, texts)
      : parseFilter(fields, name, texts)
    if (read._tag === 'filter') {
      filters.push(read.filter)
      patterns.push(...patternsOf(name, read.filter))
    } else if (read._tag === 'reference') lookups.push(read.lookup)
    else if (read._tag === 'invalid') errors[name] = [read.message]
    else if (read._tag === 'unknown' && isAttachedParameter(name)) {
      const attached = parseAttachedFilter(name, texts, definitions)
      if (attached._tag === 'filters') {
        filters.push(...attached.filters)
        patterns.push(...attached.filters.flatMap((filter) => patternsOf(name, filter)))
      } else if (attached._tag === 'invalid') errors[name] = [attached.message]
      else if (attached._tag === 'unknown') ignored.push(name)
    } else if (read._tag === 'unknown') {
      const unbuilt = unbuiltFilter(name)
      if (unbuilt === null) ignored.push(name)
      else errors[name] = [unbuilt]
    }
  }
  const search = last(params, 'q')?.trim() ?? ''
  if (search.includes('\0')) errors['q'] = ['Null characters are not allowed.']
  const page = parsePage(params)
  return {
    query: {
      model,
      filters,
      search: search === '' ? null : search,
      order: parseOrdering(last(params, 'ordering'), (field) => Object.hasOwn(fields, field)),
      page: page._tag === 'page' ? page.page : firstPage,
    },
    presentation: parsePresentation(params),
    ignored,
    lookups,
    patterns,
    errors,
    pageError: page._tag === 'invalid' ? page.message : null,
  }
}

/** NetBox takes one request; of several the last one counts. */
function parseRequestFilter(field: string, texts: ReadonlyArray<string>): ReturnType<typeof parseFilter> {
  const text = texts.at(-1) ?? ''
  if (text === '') return { _tag: 'absent' }
  const uuid = parseUuid(text)
  return uuid === null
    ? { _tag: 'invalid', message: 'Enter a valid UUID.' }
    : { _tag: 'filter', filter: { field, lookup: 'exact', values: [uuid] } }
}

/** A regular expression of a request: only the database can say whether its syntax is right. */
export interface SentPattern {
  /** The parameter as sent. */
  readonly parameter: string
  readonly pattern: string
}

/** The regular expressions of a filter. */
export const patternsOf = (parameter: string, { lookup, values }: Filter): ReadonlyArray<SentPattern> =>
  lookup === 'regex' || lookup === 'iregex' ? values.map((value) => ({ parameter, pattern: String(value) })) : []

/** The rows that a request's references may mean, as the store knows them. */
export interface KnownRows {
  readonly idsByName: ReadonlyMap<string, number>
  readonly ids: ReadonlySet<number>
}

/** The rows that a request needs looked up; empty lists need no look-up. */
export interface ReferencedRows {
  readonly names: ReadonlyArray<string>
  readonly ids: ReadonlyArray<number>
}

/** A query ready to be run, or NetBox's 400 body. */
export type ResolvedListQuery<M extends ModelName> =
  | { readonly _tag: 'query'; readonly query: ListQuery<M> }
  | { readonly _tag: 'rejected'; readonly body: FieldErrors | ReadonlyArray<string> }

/** The names and ids of other rows that a request speaks of. */
export function referencedRows({ lookups }: Pick<ListRequest, 'lookups'>): ReferencedRows {
  const texts = lookups.flatMap(({ values }) => values.filter((value) => value !== null))
  const names = lookups
    .filter(({ by }) => by === 'name')
    .flatMap(({ values }) => values.filter((value) => value !== null))
  return { names: [...new Set(names)], ids: [...new Set(texts.filter(isId).map(Number).filter(Number.isSafeInteger))] }
}

/** Regular expressions of one request that are accepted, since each may take a while to read. */
const maxPatterns = 4

/** The regular expressions that a request needs tried; none when it has too many. */
export const sentPatterns = ({ patterns }: Pick<ListRequest, 'patterns'>): ReadonlyArray<string> =>
  patterns.length > maxPatterns ? [] : [...new Set(patterns.map(({ pattern }) => pattern))]

/** What is wrong with regular expressions, by their text; those that are right are left out. */
export type PatternFaults = ReadonlyMap<string, string>

/** Puts the rows looked up in place of their names. All wrong parameters are reported in one body. */
export function resolveListQuery<M extends ModelName>(
  request: ListRequest<M>,
  known: KnownRows,
  faults: PatternFaults,
): ResolvedListQuery<M> {
  const referring = resolveReferences(request.lookups, known)
  const errors = { ...request.errors, ...patternErrors(request.patterns, faults), ...referring.errors }
  const filters = [...request.query.filters, ...referring.filters]
  if (Object.keys(errors).length > 0) return { _tag: 'rejected', body: errors }
  if (request.pageError !== null) return { _tag: 'rejected', body: [request.pageError] }
  return { _tag: 'query', query: { ...request.query, filters } }
}

/** Filters by the rows looked up; a parameter that names another row has its error. */
export function resolveReferences(
  lookups: ReadonlyArray<ReferenceLookup>,
  known: KnownRows,
): { readonly filters: ReadonlyArray<Filter>; readonly errors: FieldErrors } {
  const errors: Record<string, ReadonlyArray<string>> = {}
  const filters: Array<Filter> = []
  for (const { parameter, field, negated, ...lookup } of lookups) {
    const values = lookup.values.map((value) => (value === null ? null : rowId(lookup, value, known)))
    const wrong = lookup.values.find((_, index) => values[index] === undefined)
    if (wrong === undefined) {
      const found = values.filter((value) => value !== undefined)
      filters.push({ field, lookup: 'exact', ...(negated ? { negated } : {}), values: found })
    } else errors[parameter] = [notAChoice(String(wrong))]
  }
  return { filters, errors }
}

/** The errors of the parameters whose regular expressions are wrong, or too many. */
export function patternErrors(patterns: ReadonlyArray<SentPattern>, faults: PatternFaults): FieldErrors {
  const errors: Record<string, ReadonlyArray<string>> = {}
  for (const { parameter, pattern } of patterns) {
    const fault = faults.get(pattern)
    if (patterns.length > maxPatterns) {
      errors[parameter] = [`A request can have at most ${maxPatterns} regular expressions.`]
    } else if (fault !== undefined) errors[parameter] = [`Enter a valid regular expression: ${fault}.`]
  }
  return errors
}

function rowId({ by }: Pick<ReferenceLookup, 'by'>, value: string, { idsByName, ids }: KnownRows): number | undefined {
  const named = by === 'name' ? idsByName.get(value) : undefined
  if (named !== undefined) return named
  return isId(value) && ids.has(Number(value)) ? Number(value) : undefined
}
