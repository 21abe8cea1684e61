import { modelNames, registry } from '@netbox-pbs/core'
import { Effect, Option } from 'effect'
import { Hono } from 'hono'
import type { ApiContext, ApiEnv } from '../rest/caller.ts'
import { home } from '../rest/page-paths.ts'
import type { Run } from '../rest/route.ts'
import { rowId } from '../rest/row.ts'
import { assets } from './assets.ts'
import { branchPages } from './branches/branch-pages.ts'
import { detail } from './details/detail-page.tsx'
import { notFound } from './error-pages.tsx'
import { heldPages } from './held/held-pages.tsx'
import { list } from './lists/list-page.tsx'
import { homePage } from './overview/home-page.tsx'
import { runPages } from './runs/run-pages.tsx'
import { html, type Page, type ServePage, servePage } from './serve-page.tsx'
import { serverPages } from './servers/server-pages.tsx'
import { visitorOf } from './session.ts'
import { settingsPages } from './settings/settings-page.tsx'
import { openIdPages } from './sign-in/openid-pages.ts'
import { signInPages } from './sign-in/sign-in-pages.tsx'

/** Every page, to be mounted at `/plugins/pbs`. */
export function pages(run: Run): Hono<ApiEnv> {
  const serve = servePage(run)
  return new Hono<ApiEnv>()
    .route('/static', assets)
    .route('/', homePage(serve))
    .route('/', openIdPages(serve))
    .route('/', signInPages(serve))
    .route('/', serverPages(serve))
    .route('/', inventoryPages(serve))
    .route('/', runPages(serve))
    .route('/', heldPages(serve))
    .route('/', branchPages(serve))
    .route('/', settingsPages(serve))
    .all('*', (c) => unslashed(c) ?? serve(c, unknownPage(c)))
}

/** Our pages end with a slash; an address that lacks it is led there. */
function unslashed(c: ApiContext): Response | null {
  const { method, path, url } = c.req
  const lacksSlash = method === 'GET' && !path.endsWith('/') && !path.startsWith(`${home}static/`)
  return lacksSlash ? c.redirect(`${path}/${new URL(url).search}`, 301) : null
}

const unknownPage = (c: ApiContext): Page =>
  Effect.map(visitorOf(c), (visitor) => html(notFound(Option.getOrNull(visitor), c.req.path), 404))

/** List and detail of every model of the registry. */
function inventoryPages(serve: ServePage): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  for (const model of modelNames) {
    const { path } = registry[model]
    app.get(`/${path}/`, (c) => serve(c, list(model)(c)))
    app.get(`/${path}/:id{[0-9]+}/`, (c) => serve(c, detail(model, rowId(c.req.param('id')))(c)))
  }
  return app
}
