import { randomUUID } from 'node:crypto'
import { OpenAPIHono } from '@hono/zod-openapi'
import { isAllowedHost, unknownHostDetail } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { compress } from 'hono/compress'
import { createMiddleware } from 'hono/factory'
import { getPath } from 'hono/utils/url'
import { openApiDocument } from '../openapi/document.ts'
import { pages } from '../pages/pages.ts'
import type { Document } from '../pages/reference/document.ts'
import { referencePages } from '../pages/reference/reference-pages.tsx'
import { servePage } from '../pages/serve-page.tsx'
import type { ApiEnv } from '../rest/caller.ts'
import { referencePage } from '../rest/page-paths.ts'
import type { Run } from '../rest/route.ts'
import { restPaths } from '../routes/rest-paths.ts'
import { apiVersion } from '../version.ts'
import { findClient, type ProxyOptions } from './find-client.ts'
import { indentedJson } from './indented-json.ts'
import { mountRoutes } from './mount-routes.ts'
import { prefixedPages } from './prefixed-pages.ts'

/** Puts one part of the site, such as its pages, on the app. */
type Part = (app: OpenAPIHono<ApiEnv>, run: Run) => void

const rest: Part = (app, run) => {
  app.use('/api/*', indentedJson)
  mountRoutes(app, run, restPaths)
}

const site: Part = (app, run) => {
  app.get('/', (c) => c.redirect(`${c.get('client').prefix}/plugins/pbs/`))
  app.use('/plugins/pbs/*', compress({ encoding: 'gzip' }))
  app.use('/plugins/pbs/*', prefixedPages)
  app.route('/plugins/pbs/', pages(run))
}

/** What REST can do, in pages. */
const reference: Part = (app, run) => {
  app.use(`${referencePage}*`, prefixedPages)
  app.use('/api/schema/redoc/', prefixedPages)
  // border: the document is our own
  app.route('/api/schema/', referencePages(servePage(run), openApiDocument(restPaths) as unknown as Document))
}

/** The served parts. */
const parts: ReadonlyArray<Part> = [rest, reference, site]

/** Everything that is answered over HTTP. */
export function makeApp(
  run: Run,
  { allowedHosts, ...proxy }: ProxyOptions & { readonly allowedHosts: ReadonlyArray<string> },
): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({ getPath: withoutBasePath(proxy.basePath ?? '') })
  app.use(responseHeaders)
  app.use(findClient(proxy))
  app.use(allowedHost(allowedHosts))
  for (const part of parts) part(app, run)
  app.notFound((c) => {
    const { method, path, url } = c.req
    if ((method === 'GET' || method === 'HEAD') && slashed(path)) {
      const location = `${c.get('client').prefix}${path}/${new URL(url).search}`
      return c.body(null, 301, { Location: location, 'Content-Type': 'text/html' })
    }
    return c.html('<!DOCTYPE html><html lang="en"><title>Page Not Found</title><h1>Page Not Found</h1></html>', 404)
  })
  app.onError((error, c) => run(c, Effect.die(error)))
  return app
}

const patterns = restPaths.flatMap(({ routes }) =>
  routes.slice(0, 1).map(({ config }) => new RegExp(`^${config.path.replace(/\{\w+\}/g, '[^/]+')}$`)),
)

/** Whether the path would be one of the API's with a slash at its end. */
const slashed = (pathname: string): boolean => patterns.some((pattern) => pattern.test(`${pathname}/`))

/** Paths that supervisors ask, with or without the base path. */
const probes: ReadonlyArray<string> = ['/healthz', '/readyz']

/** The path of a request below the base path; one that nothing answers for a request beyond it. */
const withoutBasePath = (basePath: string) => (request: Request) => {
  const path = getPath(request)
  if (basePath === '' || probes.includes(path)) return path
  if (path === basePath) return '/'
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : '/beyond-the-base-path'
}

/** Headers of every response: the request's id, the security headers, and for the API its version. */
const responseHeaders = createMiddleware<ApiEnv>(async (c, next) => {
  const requestId = randomUUID()
  c.set('requestId', requestId)
  await next()
  const headers = c.res.headers
  headers.set('X-Request-ID', requestId)
  headers.set('X-Content-Type-Options', 'nosniff')
  headers.set('X-Frame-Options', 'SAMEORIGIN')
  headers.set('Referrer-Policy', 'same-origin')
  headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  headers.set(
    'Content-Security-Policy',
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; form-action 'self'; base-uri 'none'",
  )
  if (c.req.path.startsWith('/api/')) {
    headers.set('API-Version', apiVersion)
    headers.set('Cache-Control', 'no-store')
    headers.set('Vary', 'Accept, Authorization')
  }
})

/** Refuses hosts that are not ours, also where a proxy forwards them. */
const allowedHost = (allowed: ReadonlyArray<string>) => {
  const known = isAllowedHost(allowed)
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (known(c.req.header('host')) && known(c.get('client').host)) return next()
    return c.json({ detail: unknownHostDetail }, 400)
  })
}
