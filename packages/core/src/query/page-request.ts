import type { OrderTerm, PageRequest } from './list-query.ts'

/** Default and largest number of rows on a page. */
export const pageLimits = { default: 50, max: 1000 } as const

/** A page request, or NetBox's sentence about parameters that exclude each other. */
type ParsedPage =
  | { readonly _tag: 'page'; readonly page: PageRequest }
  | { readonly _tag: 'invalid'; readonly message: string }

/** Reads `limit`, `offset` and `start`. Invalid numbers silently become the defaults, except for `start`. */
export function parsePage(params: URLSearchParams): ParsedPage {
  const limit = pageLimit(last(params, 'limit'))
  const start = last(params, 'start')
  if (start === undefined) {
    return { _tag: 'page', page: { _tag: 'offset', limit, offset: naturalNumber(last(params, 'offset')) ?? 0 } }
  }
  if (params.has('offset')) return invalid("'start' and 'offset' are mutually exclusive.")
  if (params.has('ordering')) {
    return invalid('Ordering cannot be specified in conjunction with cursor-based pagination.')
  }
  const first = naturalNumber(start)
  return first === undefined
    ? invalid("Invalid 'start' parameter: must be a non-negative integer.")
    : { _tag: 'page', page: { _tag: 'cursor', limit, start: first } }
}

/** The value that counts of a parameter sent more than once. */
export const last = (params: URLSearchParams, name: string): string | undefined => params.getAll(name).at(-1)

const invalid = (message: string): ParsedPage => ({ _tag: 'invalid', message })

function pageLimit(text: string | undefined): number {
  const limit = naturalNumber(text) ?? pageLimits.default
  return limit === 0 ? pageLimits.max : Math.min(limit, pageLimits.max)
}

function naturalNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\+?\d+\s*$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : undefined
}

/**
 * Reads `ordering=f1,-f2`. Names that cannot be ordered by are dropped, as NetBox drops them, and so
 * are repeated ones, which order nothing.
 */
export function parseOrdering(
  text: string | undefined,
  orderable: (field: string) => boolean,
): ReadonlyArray<OrderTerm> {
  return (text ?? '')
    .split(',')
    .map((term) => term.trim())
    .map((term) =>
      term.startsWith('-') ? { field: term.slice(1), descending: true } : { field: term, descending: false },
    )
    .filter(({ field }, at, terms) => orderable(field) && terms.findIndex((term) => term.field === field) === at)
}

/** Which fields of a row are shown. `fields` wins over `omit`, `omit` over `brief`; null: not asked for. */
export interface Presentation {
  readonly brief: boolean
  readonly fields: ReadonlyArray<string> | null
  readonly omit: ReadonlyArray<string> | null
}

/** Reads `brief`, `fields` and `omit`. Any text turns brief on, `0` and `false` included. */
export function parsePresentation(params: URLSearchParams): Presentation {
  return {
    brief: Boolean(last(params, 'brief')),
    fields: names(last(params, 'fields')),
    omit: names(last(params, 'omit')),
  }
}

function names(text: string | undefined): ReadonlyArray<string> | null {
  return text ? text.split(',').map((name) => name.trim()) : null
}
