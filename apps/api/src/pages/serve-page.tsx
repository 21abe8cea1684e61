import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Cause, Effect } from 'effect'
import type { JSX } from 'hono/jsx/jsx-runtime'
import type { ApiContext } from '../rest/caller.ts'
import { logStoreFailure, storeFailure } from '../rest/http-error.ts'
import { signInPage } from '../rest/page-paths.ts'
import { readBytes } from '../rest/read-body.ts'
import type { Run } from '../rest/route.ts'
import type { ApiServices } from '../services.ts'
import { Message } from './components/alert.tsx'
import { sentence } from './components/format.ts'
import { Layout } from './components/layout.tsx'
import { PageTime } from './components/time.tsx'
import { bodyTooLarge } from './error-pages.tsx'

/** The work that renders a page. Failures are rendered as pages too. */
export type Page = Effect.Effect<Response, StoreFailed, ApiServices>

/** Answers a request with a page. */
export type ServePage = (c: ApiContext, page: Page) => Promise<Response>

/**
 * Runs a page's Effect to a response. Database failures and defects become pages with a sentence
 * for the reader; their causes go to the log.
 */
export const servePage =
  (run: Run): ServePage =>
  (c, page) =>
    run(
      c,
      page.pipe(
        Effect.catchTag('StoreFailed', (error) =>
          logStoreFailure(error, 'a page').pipe(
            Effect.as(failurePage(titleOf(error), sentence(storeFailure(c, error)), 503)),
          ),
        ),
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause)
            ? Effect.interrupt
            : Effect.logError('a page failed', cause).pipe(
                Effect.as(
                  failurePage(
                    'This page failed',
                    `Something went wrong on our side. Find request ${c.get('requestId')} in the log.`,
                    500,
                  ),
                ),
              ),
        ),
        Effect.annotateLogs({ path: loggedPath(c.req.path) }),
      ),
    )

const titleOf = ({ reason }: StoreFailed): string =>
  ({
    unavailable: 'The database did not answer',
    unknown: 'It may have been done',
    conflict: 'Two writers waited for each other',
    busy: 'Too many requests at a time',
    crowded: 'The database is full of connections',
    stopped: 'The database stopped it',
    read_only: 'The database can only be read',
    too_slow: 'This took too long',
    refused: 'The database refused the request',
    full: 'The database is full',
  })[reason]

/** The path of a request without its sign-in code. */
const loggedPath = (path: string): string => (path.startsWith(signInPage) ? signInPage : path)

const failurePage = (title: string, sentence: string, status: number): Response =>
  html(
    <Layout title={title} path="" viewer={null}>
      <Message title={title}>{sentence}</Message>
    </Layout>,
    status,
  )

/** A page as a response, with ages counted to now. Everything in it was escaped when it was drawn. */
export function html(page: JSX.Element, status = 200): Response {
  const drawn = <PageTime.Provider value={Date.now()}>{page}</PageTime.Provider>
  return new Response(`<!doctype html>${String(drawn)}`, {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  })
}

/** Sends the browser to another page, which it asks for with GET. */
export const seeOther = (path: string): Response =>
  new Response(null, { status: 303, headers: { Location: path, 'Cache-Control': 'no-store' } })

/** The fields of a sent form. Of a field that comes twice the last one counts. */
export type Form = Readonly<Record<string, string>>

/** The largest form. */
const maxFormBytes = 64 * 1024

/**
 * Edits a form as browsers send ours to a page; any other body is a form without fields, and one
 * that is too large is a page that says so.
 */
export const withForm = (c: ApiContext, page: (form: Form) => Page): Page =>
  Effect.gen(function* () {
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/x-www-form-urlencoded') return {}
    const bytes = yield* readBytes(c, maxFormBytes)
    return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)))
  }).pipe(
    Effect.matchEffect({
      onFailure: () => Effect.succeed(html(bodyTooLarge(maxFormBytes), 413)),
      onSuccess: page,
    }),
  )
