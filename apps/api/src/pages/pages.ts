import { Effect, Option } from 'effect'
import { Hono } from 'hono'
import type { ApiContext, ApiEnv } from '../rest/caller.ts'
import { home } from '../rest/page-paths.ts'
import type { Run } from '../rest/route.ts'
import { assets } from './assets.ts'
import { branchPages } from './branches/branch-pages.ts'
import { notFound } from './error-pages.tsx'
import { heldPages } from './held-pages.tsx'
import { homePage } from './home-page.tsx'
import { html } from './html.ts'
import { inventoryPages } from './inventory-pages.tsx'
import { runPages } from './run-pages.tsx'
import { type Page, servePage } from './serve-page.tsx'
import { serverPages } from './server-pages.tsx'
import { visitorOf } from './session.ts'
import { signInPages } from './sign-in-pages.tsx'

/** Every page, to be mounted at `/plugins/pbs`. */
export function pages(run: Run): Hono<ApiEnv> {
  const serve = servePage(run)
  return new Hono<ApiEnv>()
    .route('/static', assets)
    .route('/', homePage(serve))
    .route('/', signInPages(serve))
    .route('/', serverPages(serve))
    .route('/', inventoryPages(serve))
    .route('/', runPages(serve))
    .route('/', heldPages(serve))
    .route('/', branchPages(serve))
    .all('*', (c) => unslashed(c) ?? serve(c, unknownPage(c)))
}

/** Our pages end with a slash; an address that lacks it is led there. */
function unslashed(c: ApiContext): Response | null {
  const { pathname, search } = new URL(c.req.url)
  const lacksSlash = c.req.method === 'GET' && !pathname.endsWith('/') && !pathname.startsWith(`${home}static/`)
  return lacksSlash ? c.redirect(`${pathname}/${search}`, 301) : null
}

const unknownPage = (c: ApiContext): Page =>
  Effect.map(visitorOf(c), (visitor) => html(notFound(Option.getOrNull(visitor), c.req.path), 404))
