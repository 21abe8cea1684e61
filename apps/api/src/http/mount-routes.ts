import type { OpenAPIHono } from '@hono/zod-openapi'
import { Effect } from 'effect'
import type { ApiContext, ApiEnv } from './caller.ts'
import { negotiate } from './negotiate.ts'
import { badRequest, forbidden, methodNotAllowed } from './refused.ts'
import type { Handler, Route } from './route.ts'
import type { Run } from './run.ts'
import { authenticate } from './token-auth.ts'

/** The operations of one path. */
export interface Path {
  readonly routes: ReadonlyArray<Route>
  /** What `OPTIONS` answers beside the headers. */
  readonly describe?: (c: ApiContext) => object
  /** Answered without a token. */
  readonly open?: true
}

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * Puts paths on an app. Every request passes the same checks in NetBox's order: representation, token, right to write, method; each answer
 * names the methods of its path in `Allow`.
 */
export function mountRoutes(app: OpenAPIHono<ApiEnv>, run: Run, paths: ReadonlyArray<Path>): void {
  for (const { routes, describe, open = false } of paths) {
    const path = routes[0]?.config.path
    if (path === undefined) continue
    const allow = allowed(routes)
    const answer = (handler: Handler) => (c: ApiContext) => {
      c.header('Allow', allow)
      return run(
        c,
        Effect.andThen(
          open ? Effect.void : admit(c),
          Effect.suspend(() => handler(c)),
        ),
      )
    }
    const pattern = path.replace(/\{(\w+)\}/g, ':$1')
    for (const { config, handler } of routes) {
      app.openAPIRegistry.registerPath(config)
      app.on(config.method.toUpperCase(), pattern, answer(handler))
    }
    app.on(
      'OPTIONS',
      pattern,
      answer((c) => Effect.sync(() => c.json(describe?.(c) ?? {}))),
    )
    app.all(
      pattern,
      answer((c) => methodNotAllowed(c.req.method)),
    )
  }
}

const admit = (c: ApiContext) =>
  Effect.gen(function* () {
    yield* negotiate(c)
    yield* onMain(c)
    const caller = yield* authenticate(c.req.header('authorization'))
    if (writing.has(c.req.method) && !caller.write_enabled) {
      return yield* forbidden('You do not have permission to perform this action.')
    }
    c.set('caller', caller)
  })

/** A request that names a branch must not reach main: what lies inside branches is not read or written by these routes. */
const onMain = (c: ApiContext) =>
  (c.req.header('x-netbox-branch') ?? c.req.query('_branch') ?? '') === ''
    ? Effect.void
    : badRequest('Objects cannot be read or written inside a branch yet: leave X-NetBox-Branch and _branch out.')

function allowed(routes: ReadonlyArray<Route>): string {
  const methods = new Set(routes.map(({ config }) => config.method.toUpperCase()))
  return [...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ')
}
