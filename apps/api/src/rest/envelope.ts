import {
  type PageRequest,
  pageLimits,
  parsePage,
  parsePresentation,
  type RecordPage,
  shownFields,
} from '@netbox-pbs/core'
import type { ListedPage } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Option, Stream } from 'effect'
import type { ApiContext } from './caller.ts'
import { type ExportFormat, respondWithObjects } from './export.ts'
import { type HttpError, invalid } from './http-error.ts'
import { baseUrl } from './links.ts'

/**
 * A list of records that are no inventory: its path, the page of it that is asked for, and how a
 * record is served below the site's address.
 */
interface Records<A, E, R> {
  readonly path: string
  /** As sent, without that of an export. */
  readonly params: URLSearchParams
  /** The fields of each record. */
  readonly columns: ReadonlyArray<string>
  /** The form of an export; null: a page. */
  readonly format: ExportFormat | null
  /** Parameters that changed nothing. */
  readonly ignored: ReadonlyArray<string>
  readonly cursor: CursorOf<A> | undefined
  /** Fields of the brief form, in addition to those of every object. */
  readonly brief: ReadonlyArray<string>
  readonly read: (page: RecordPage) => Effect.Effect<ListedPage<A>, E, R>
  readonly serve: (record: A, base: string) => object
}

/** How a list of records is read from an id on. */
export interface CursorOf<A> {
  readonly idOf: (record: A) => number
  /** The list's own order is that of ids, or its reverse. */
  readonly ordered: boolean
}

/** Answers the page of a list of records that the request asks for, or all of them as an export. */
export const respondWithRecords = <A, E, R>(
  c: ApiContext,
  { path, params, columns, format, ignored, cursor, brief, read, serve }: Records<A, E, R>,
) =>
  Effect.gen(function* () {
    const base = baseUrl(c)
    const isShown = shownFields(parsePresentation(params), brief)
    const shown = (record: A) =>
      Object.fromEntries(Object.entries(serve(record, base)).filter(([name]) => isShown(name)))
    nameIgnored(c, ignored)
    if (format !== null) {
      const ordered = cursor?.ordered === true && !params.has('ordering')
      const objects = Stream.map(ordered ? allByIds(read, cursor.idOf) : allRecords(read), shown)
      return yield* respondWithObjects(c, { format, name: nameOf(path), columns: columns.filter(isShown), objects })
    }
    const page = yield* recordPage(params)
    const { count, rows } = yield* read(storedPage(page))
    const results = rows.map(shown)
    const last = rows.at(-1)
    const lastId = cursor === undefined || last === undefined ? null : cursor.idOf(last)
    const url = `${base}${path}`
    return c.json(envelope({ page, count, results, lastId, url, params }))
  })

/** The name of a list: the last part of its path. */
const nameOf = (path: string): string => path.split('/').at(-2) ?? ''

/** The page that a request asks for of a list with a cursor; 400 in NetBox's words for one that is none. */
export function recordPage(params: URLSearchParams): Effect.Effect<PageRequest, HttpError> {
  const parsed = parsePage(params)
  return parsed._tag === 'page' ? Effect.succeed(parsed.page) : invalid([parsed.message])
}

/** The same as stores read it. */
export const storedPage = (page: PageRequest): RecordPage =>
  page._tag === 'offset'
    ? { limit: page.limit, offset: page.offset }
    : { limit: page.limit, offset: 0, cursor: { at: 'from', id: page.start } }

/** The page of a query that has filters too. */
export const pageOf = ({ limit, offset, cursor }: RecordPage): RecordPage => ({
  limit,
  offset,
  ...(cursor === undefined ? {} : { cursor }),
})

/** All records of a list whose own order is that of ids, each page after the last record of another. */
const allByIds = <A, E, R>(
  read: (page: RecordPage) => Effect.Effect<ListedPage<A>, E, R>,
  idOf: (record: A) => number,
): Stream.Stream<A, E, R> =>
  Stream.paginateChunkEffect<number | null, A, E, R>(null, (id) =>
    Effect.map(read({ limit: pageLimits.max, offset: 0, cursor: { at: 'after', id } }), ({ rows }) => {
      const last = rows.length < pageLimits.max ? undefined : rows.at(-1)
      return [Chunk.fromIterable(rows), last === undefined ? Option.none() : Option.some(idOf(last))] as const
    }),
  )

/** All records of a list, page by page; a write during the reading may shift them. */
export const allRecords = <A, E, R>(
  read: (page: RecordPage) => Effect.Effect<ListedPage<A>, E, R>,
): Stream.Stream<A, E, R> =>
  Stream.paginateChunkEffect(0, (offset) =>
    Effect.map(read({ limit: pageLimits.max, offset }), ({ rows }) => [
      Chunk.fromIterable(rows),
      rows.length < pageLimits.max ? Option.none() : Option.some(offset + rows.length),
    ]),
  )

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
