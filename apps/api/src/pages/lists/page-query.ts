import {
  type Field,
  type Filter,
  type ListRequest,
  type ModelName,
  parseListQuery,
  type ResolvedListQuery,
  registry,
} from '@netbox-pbs/core'
import type { DefinitionStore, InventoryLists, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { listDefinitions } from '../../inventory/attached.ts'
import { resolveRequest } from '../../inventory/find-row.ts'

/** The query of a list page's address, with the servers it names looked up. */
export interface PageQuery {
  readonly request: ListRequest
  readonly resolved: ResolvedListQuery<ModelName>
}

/**
 * Reads a list page's address as REST reads a list's, but that a blank text is looked for: it is
 * how a link leads to the root namespace.
 */
export const readPageQuery = (
  model: ModelName,
  parameters: URLSearchParams,
): Effect.Effect<PageQuery, StoreFailed, InventoryLists | DefinitionStore> =>
  Effect.gen(function* () {
    const read: ListRequest = parseListQuery(model, parameters, yield* listDefinitions(model, parameters))
    const filters = [...read.query.filters, ...blankFilters(model, parameters)]
    const request = { ...read, query: { ...read.query, filters } }
    return { request, resolved: yield* resolveRequest(request) }
  })

function blankFilters(model: ModelName, parameters: URLSearchParams): ReadonlyArray<Filter> {
  return Object.entries<Field>(registry[model].fields).flatMap(([field, { type }]): ReadonlyArray<Filter> => {
    const values = parameters.getAll(field)
    const blank = type === 'text' && values.length > 0 && values.every((value) => value === '')
    return blank ? [{ field, lookup: 'exact', values: [''] }] : []
  })
}
