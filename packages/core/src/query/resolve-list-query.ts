import type { ModelName } from '../registry/field.ts'
import { isId, notAChoice, type ReferenceLookup } from './filter-values.ts'
import type { FieldErrors, Filter, ListQuery } from './list-query.ts'
import type { ListRequest } from './parse-list-query.ts'

/** The rows that a request's references may mean, as the store knows them. */
export interface KnownRows {
  readonly idsByName: ReadonlyMap<string, number>
  readonly ids: ReadonlySet<number>
}

/** What a request needs to be looked up; empty lists need no look-up. */
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
