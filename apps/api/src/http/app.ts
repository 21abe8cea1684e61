import { OpenAPIHono } from '@hono/zod-openapi'
import { Effect } from 'effect'
import { pages } from '../pages/pages.ts'
import { prefix } from '../rest/base-url.ts'
import type { ApiEnv } from '../rest/caller.ts'
import type { Run } from '../rest/route.ts'
import { restPaths } from '../routes/rest-paths.ts'
import { allowedHost } from './allowed-host.ts'
import { mountRoutes } from './mount-routes.ts'
import { responseHeaders } from './response-headers.ts'

/** Puts one part of the site, such as its pages, on the app. */
export type Part = (app: OpenAPIHono<ApiEnv>, run: Run) => void

const rest: Part = (app, run) => mountRoutes(app, run, restPaths)

const site: Part = (app, run) => {
  app.get('/', (c) => c.redirect(`${prefix(c)}/plugins/pbs/`))
  app.route('/plugins/pbs/', pages(run))
}

/** What is served. */
const parts: ReadonlyArray<Part> = [rest, site]

/** Everything that is answered over HTTP. */
export function makeApp(
  run: Run,
  { allowedHosts }: { readonly allowedHosts: ReadonlyArray<string> },
): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>()
  app.use(responseHeaders)
  app.use(allowedHost(allowedHosts))
  for (const part of parts) part(app, run)
  app.notFound((c) => {
    const { pathname, search } = new URL(c.req.url)
    if ((c.req.method === 'GET' || c.req.method === 'HEAD') && slashed(pathname)) {
      return c.body(null, 301, { Location: `${prefix(c)}${pathname}/${search}`, 'Content-Type': 'text/html' })
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
