import { isAllowedHost, unknownHostDetail } from '@netbox-pbs/app-shell'
import type { EndpointStore, GatewayKeys } from '@netbox-pbs/core/ports'
import { Effect, type Runtime } from 'effect'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Fleet } from '../fleet/fleet.ts'
import { authRoutes, presentedKey, remoteAddress, requireKey } from './api-key.ts'
import { endpointRoutes, statusRoutes } from './endpoint-routes.ts'
import type { FailedAttempts } from './failed-attempts.ts'
import { makeRun } from './run.ts'
import { syncRoutes } from './sync-routes.ts'

/** Everything the gateway answers, on the services of a runtime. */
export const gatewayApp = (
  runtime: Runtime.Runtime<EndpointStore | GatewayKeys | Fleet>,
  attempts: FailedAttempts,
  allowedHosts: ReadonlyArray<string>,
): Hono => {
  const run = makeRun(runtime)
  const withKey = createMiddleware(async (c, next) => {
    const check = requireKey({ key: presentedKey((name) => c.req.header(name)), address: remoteAddress(c), attempts })
    const response = await run(c, Effect.as(check, passed))
    if (response !== passed) return response
    await next()
  })

  const isAllowed = isAllowedHost(allowedHosts)
  const app = new Hono({ strict: false })
  app.use(async (c, next) => (isAllowed(c.req.header('host')) ? next() : c.json({ detail: unknownHostDetail }, 400)))
  app.get('/', (c) => c.json({ message: 'netbox-pbs gateway', version, contract: '/pbs/*', health: '/health' }))
  app.get('/health', (c) => c.json({ status: 'ready' }))
  app.route('/auth', authRoutes(run))
  app.use(withKey)
  app.get('/version', (c) => c.json({ version, capabilities: { pbs_streams: true } }))
  app.route('/pbs/endpoints', endpointRoutes(run))
  app.route('/pbs/status', statusRoutes(run))
  app.route('/pbs/sync', syncRoutes(run))
  app.notFound((c) => {
    const methods = allowedMethods(app, c.req.path)
    return methods.length === 0
      ? c.json({ detail: 'Not Found' }, 404)
      : c.json({ detail: 'Method Not Allowed' }, 405, { Allow: methods.join(', ') })
  })
  app.onError((error, c) => run(c, Effect.die(error)))
  return app
}

/** Marks that the key was right; never sent. */
const passed = new Response(null)

/**
 * The methods that a path answers to, for `Allow`; none for a path that is not there. A slash at
 * the end does not matter.
 */
const allowedMethods = ({ routes }: Pick<Hono, 'routes'>, path: string): ReadonlyArray<string> => {
  const requested = segmentsOf(path)
  const methods = routes.flatMap((route) =>
    // Middleware is registered for all methods.
    route.method !== 'ALL' && pathFits(segmentsOf(route.path), requested) ? [route.method] : [],
  )
  return [...new Set(methods)].sort()
}

const segmentsOf = (path: string): ReadonlyArray<string> => path.split('/').filter((segment) => segment !== '')

const pathFits = (pattern: ReadonlyArray<string>, path: ReadonlyArray<string>): boolean =>
  pattern.length === path.length && pattern.every((part, index) => part.startsWith(':') || part === path[index])

import manifest from '../../package.json' with { type: 'json' }

/** The release of the gateway. */
export const version: string = manifest.version
