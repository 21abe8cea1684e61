import type { PageRequest } from '@netbox-pbs/core'

/** A page of a list as NetBox answers it. */
export interface Envelope {
  readonly count: number | null
  readonly next: string | null
  readonly previous: string | null
  readonly results: ReadonlyArray<unknown>
}

interface PageOfRows {
  readonly page: PageRequest
  readonly count: number | null
  readonly results: ReadonlyArray<unknown>
  /** Id of the last row, for the next page in cursor mode. */
  readonly lastId: number | null
  /** The list's address without parameters, and the parameters as sent. */
  readonly url: string
  readonly params: URLSearchParams
}

/** Wraps a page, with absolute links to its neighbours that keep every other parameter. */
export function envelope({ page, count, results, lastId, url, params }: PageOfRows): Envelope {
  const link = linkTo(url, params)
  if (page._tag === 'cursor') {
    const full = results.length === page.limit && lastId !== null
    const next = full ? link({ limit: page.limit, start: lastId + 1 }) : null
    return { count: null, next, previous: null, results }
  }
  const { limit, offset } = page
  const before = offset - limit
  return {
    count,
    next: offset + limit < (count ?? 0) ? link({ limit, offset: offset + limit }) : null,
    previous: offset === 0 ? null : link({ limit, offset: before > 0 ? before : null }),
    results,
  }
}

/** Links of one list. A parameter set to null is left out; a parameter sent more than once and not set keeps its values; all are sorted by name. */
const linkTo = (url: string, sent: URLSearchParams) => (set: Readonly<Record<string, number | null>>) => {
  const params = new URLSearchParams(sent)
  for (const [name, value] of Object.entries(set)) {
    if (value === null) params.delete(name)
    else params.set(name, String(value))
  }
  params.sort()
  return params.size === 0 ? url : `${url}?${params}`
}
