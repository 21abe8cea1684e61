import type { Page } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { baseUrl } from './base-url.ts'
import type { ApiContext } from './caller.ts'
import { envelope } from './envelope.ts'
import { nameIgnored } from './ignored-parameters.ts'
import { offsetPage } from './offset-page.ts'

/** A list of records that are no inventory: its path, the page of it that is asked for, and how a record is served below the site's address. */
interface Records<A, E, R> {
  readonly path: string
  /** Parameters that changed nothing. */
  readonly ignored: ReadonlyArray<string>
  readonly read: (page: { readonly limit: number; readonly offset: number }) => Effect.Effect<Page<A>, E, R>
  readonly serve: (record: A, base: string) => unknown
}

/** Answers the page of a list of records that the request asks for. */
export const respondWithRecords = <A, E, R>(c: ApiContext, { path, ignored, read, serve }: Records<A, E, R>) =>
  Effect.gen(function* () {
    const params = new URL(c.req.url).searchParams
    const page = offsetPage(params)
    const { count, rows } = yield* read(page)
    const base = baseUrl(c)
    const results = rows.map((record) => serve(record, base))
    const url = `${base}${path}`
    nameIgnored(c, ignored)
    return c.json(envelope({ page: { _tag: 'offset', ...page }, count, results, lastId: null, url, params }))
  })
