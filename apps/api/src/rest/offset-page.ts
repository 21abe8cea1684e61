import { pageLimits, parsePage } from '@netbox-pbs/core'

/** Paging of records that are no inventory: by offset only. */
export function offsetPage(params: URLSearchParams): { readonly limit: number; readonly offset: number } {
  const parsed = parsePage(params)
  const page = parsed._tag === 'page' ? parsed.page : null
  return page?._tag === 'offset'
    ? { limit: page.limit, offset: page.offset }
    : { limit: page?.limit ?? pageLimits.default, offset: 0 }
}
