import type { Field, ModelName } from '../registry/field.ts'
import { registry } from '../registry/registry.ts'
import {
  type FilterableField,
  filterValues,
  isId,
  notAChoice,
  parseReference,
  type ReferenceLookup,
} from './filter-values.ts'
import type { FieldErrors, Filter, ListQuery, PageRequest } from './list-query.ts'
import { last, type Presentation, parseOrdering, parsePage, parsePresentation } from './page-request.ts'
import { unbuiltFilter } from './unbuilt-filter.ts'

/**
 * A list request read against the registry. Names of other rows in it, such as `server=pbs-a`,
 * still have to be looked up: see `resolveListQuery`.
 */
export interface ListRequest<M extends ModelName = ModelName> {
  readonly query: ListQuery<M>
  readonly presentation: Presentation
  /** Names of parameters that changed nothing, in the order sent. */
  readonly ignored: ReadonlyArray<string>
  readonly lookups: ReadonlyArray<ReferenceLookup>
  readonly errors: FieldErrors
  /** Paging parameters that exclude each other; judged after the filters. */
  readonly pageError: string | null
}

/** Columns that every model has in addition to those of the registry. */
const commonColumns = {
  id: { class: 'derived', type: 'integer', min: 1, max: Number.MAX_SAFE_INTEGER, label: 'ID', readOnly: true },
  created: { class: 'derived', type: 'datetime', label: 'Created', readOnly: true },
  last_updated: { class: 'derived', type: 'datetime', label: 'Last updated', readOnly: true },
} as const satisfies Record<string, Field>

/** Parameters that are no filters; `_branch` says which inventory is listed. */
const reserved = new Set(['limit', 'offset', 'start', 'ordering', 'q', 'brief', 'fields', 'omit', 'format', '_branch'])

const firstPage: PageRequest = { _tag: 'offset', limit: 1, offset: 0 }

/**
 * Reads the parameters of a list as NetBox does: filters by column, repeats as alternatives,
 * unknown names ignored but reported. A filter of NetBox that is not built yet is an error.
 */
export function parseListQuery<M extends ModelName>(model: M, params: URLSearchParams): ListRequest<M> {
  const columns = columnsOf(model)
  const filters: Array<Filter> = []
  const lookups: Array<ReferenceLookup> = []
  const ignored: Array<string> = []
  const errors: Record<string, ReadonlyArray<string>> = {}

  for (const name of new Set(params.keys())) {
    if (reserved.has(name)) continue
    const texts = params.getAll(name)
    const emptiness = emptyFilter(columns, name, texts)
    if (emptiness !== undefined) {
      filters.push(emptiness)
      continue
    }
    const column = columns.get(name)
    const reference = column === undefined ? parseReference(model, name, texts) : undefined
    if (reference?._tag === 'lookup') lookups.push(reference.lookup)
    else if (reference?._tag === 'invalid') errors[name] = [reference.message]
    else if (column === undefined) {
      const unbuilt = unbuiltFilter({ ...commonColumns, ...registry[model].fields }, name, texts)
      if (unbuilt === null) ignored.push(name)
      else errors[name] = [unbuilt]
    } else {
      const read = filterValues(column, texts)
      if (read._tag === 'values') filters.push({ field: name, lookup: 'exact', values: read.values })
      else if (read._tag === 'invalid') errors[name] = [read.message]
      else if (read._tag === 'ignored') ignored.push(name)
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
      order: parseOrdering(last(params, 'ordering'), (field) => columns.has(field) || isReference(model, field)),
      page: page._tag === 'page' ? page.page : firstPage,
    },
    presentation: parsePresentation(params),
    ignored,
    lookups,
    errors,
    pageError: page._tag === 'invalid' ? page.message : null,
  }
}

/** Reads `column__empty=true`. Any other value than NetBox's words for a boolean changes nothing. */
function emptyFilter(
  columns: ReadonlyMap<string, FilterableField>,
  name: string,
  texts: ReadonlyArray<string>,
): Filter | undefined {
  const field = name.replace(/__empty$/, '')
  const column = field === name ? undefined : columns.get(field)
  if (column?.type !== 'integer' && column?.type !== 'datetime') return undefined
  const read = filterValues({ class: 'derived', type: 'boolean', label: '' }, texts)
  return read._tag === 'values' ? { field, lookup: 'empty', values: read.values } : undefined
}

function columnsOf(model: ModelName): ReadonlyMap<string, FilterableField> {
  const fields = { ...commonColumns, ...registry[model].fields }
  return new Map(
    Object.entries<Field>(fields).flatMap(([name, field]) =>
      field.internal || field.type === 'json' || field.type === 'reference' ? [] : [[name, field] as const],
    ),
  )
}

function isReference(model: ModelName, name: string): boolean {
  return Object.entries<Field>(registry[model].fields).some(
    ([key, field]) => key === name && field.type === 'reference',
  )
}

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

/** Puts the rows looked up in place of their names. All wrong parameters are reported in one body. */
export function resolveListQuery<M extends ModelName>(request: ListRequest<M>, known: KnownRows): ResolvedListQuery<M> {
  const errors: Record<string, ReadonlyArray<string>> = { ...request.errors }
  const filters: Array<Filter> = [...request.query.filters]
  for (const lookup of request.lookups) {
    const values = lookup.values.map((value) => (value === null ? null : rowId(lookup, value, known)))
    const wrong = lookup.values.find((_, index) => values[index] === undefined)
    if (wrong === undefined) {
      filters.push({ field: lookup.field, lookup: 'exact', values: values.filter((value) => value !== undefined) })
    } else errors[lookup.parameter] = [notAChoice(String(wrong))]
  }
  if (Object.keys(errors).length > 0) return { _tag: 'rejected', body: errors }
  if (request.pageError !== null) return { _tag: 'rejected', body: [request.pageError] }
  return { _tag: 'query', query: { ...request.query, filters } }
}

function rowId({ by }: ReferenceLookup, value: string, { idsByName, ids }: KnownRows): number | undefined {
  const named = by === 'name' ? idsByName.get(value) : undefined
  if (named !== undefined) return named
  return isId(value) && ids.has(Number(value)) ? Number(value) : undefined
}
