import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Cause, Effect } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { signInPage } from '../rest/page-paths.ts'
import type { Run } from '../rest/route.ts'
import { logStoreFailure, storeFailure } from '../rest/store-failure.ts'
import type { ApiServices } from '../services.ts'
import { sentence } from './components/capitalize.ts'
import { Layout } from './components/layout.tsx'
import { Message } from './components/message.tsx'
import { html } from './html.ts'

/** The work that renders a page. Failures are rendered as pages too. */
export type Page = Effect.Effect<Response, StoreFailed, ApiServices>

/** Answers a request with a page. */
export type ServePage = (c: ApiContext, page: Page) => Promise<Response>

/** Runs a page's Effect to a response. Database failures and defects become pages with a sentence for the reader; their causes go to the log. */
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
    conflict: 'Two writers waited for each other',
    busy: 'Too many searches at a time',
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
