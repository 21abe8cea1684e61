import { type PageRequest, pageLimits, parsePage, parsePresentation, shownFields } from '@netbox-pbs/core'
import type { Page } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { ApiContext } from './caller.ts'
import { baseUrl } from './links.ts'

/**
 * A list of records that are no inventory: its path, the page of it that is asked for, and how a
 * record is served below the site's address.
 */
interface Records<A, E, R> {
  readonly path: string
  /** Parameters that changed nothing. */
  readonly ignored: ReadonlyArray<string>
  readonly read: (page: { readonly limit: number; readonly offset: number }) => Effect.Effect<Page<A>, E, R>
  readonly serve: (record: A, base: string) => object
}

/** Answers the page of a list of records that the request asks for. */
export const respondWithRecords = <A, E, R>(c: ApiContext, { path, ignored, read, serve }: Records<A, E, R>) =>
  Effect.gen(function* () {
    const params = new URL(c.req.url).searchParams
    const page = offsetPage(params)
    const { count, rows } = yield* read(page)
    const base = baseUrl(c)
    const isShown = shownFields(parsePresentation(params), ['name'])
    const results = rows.map((record) =>
      Object.fromEntries(Object.entries(serve(record, base)).filter(([name]) => isShown(name))),
    )
    const url = `${base}${path}`
    nameIgnored(c, ignored)
    return c.json(envelope({ page: { _tag: 'offset', ...page }, count, results, lastId: null, url, params }))
  })

/** A page of a list as NetBox answers it. */
interface Envelope {
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

/**
 * Links of one list. A parameter set to null is left out; a parameter sent more than once and not
 * set keeps its values; all are sorted by name.
 */
const linkTo = (url: string, sent: URLSearchParams) => (set: Readonly<Record<string, number | null>>) => {
  const params = new URLSearchParams(sent)
  for (const [name, value] of Object.entries(set)) {
    if (value === null) params.delete(name)
    else params.set(name, String(value))
  }
  params.sort()
  return params.size === 0 ? url : `${url}?${params}`
}

/** Paging of records that are no inventory: by offset only. */
export function offsetPage(params: URLSearchParams): { readonly limit: number; readonly offset: number } {
  const parsed = parsePage(params)
  const page = parsed._tag === 'page' ? parsed.page : null
  return page?._tag === 'offset'
    ? { limit: page.limit, offset: page.offset }
    : { limit: page?.limit ?? pageLimits.default, offset: 0 }
}

/** The longest value of the header, in characters: clients refuse answers whose headers are too long. */
const maxLength = 4000

/** Names the parameters that changed nothing in `X-Ignored-Parameters`: NetBox ignores them without a word. */
export function nameIgnored(c: ApiContext, names: ReadonlyArray<string>): void {
  let value = ''
  for (const name of names) {
    const longer = `${value}${value === '' ? '' : ', '}${encodeURIComponent(name)}`
    if (longer.length > maxLength) break
    value = longer
  }
  if (value !== '') c.header('X-Ignored-Parameters', value)
}
