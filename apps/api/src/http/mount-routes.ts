import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Branch, roleAllows } from '@netbox-pbs/core'
import { visibleServers } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { authenticate } from '../accounts/authenticate.ts'
import { inBranch, namedBranch } from '../branches/named-branch.ts'
import { branchNotByServer, notByServer } from '../rest/by-server.ts'
import type { ApiContext, ApiEnv, Caller } from '../rest/caller.ts'
import { askedExport, exportMediaType } from '../rest/export.ts'
import { badRequest, forbidden, type HttpError, methodNotAllowed, notAcceptable, notFound } from '../rest/http-error.ts'
import type { Handler, Path, Route, Run } from '../rest/route.ts'
import { apiVersion } from '../version.ts'

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * Puts paths on an app, with the same checks in NetBox's order for every request: representation,
 * token, right to write, branch, method; each answer names the methods of its path in `Allow`. In a
 * branch, the handler gets the branch's lists and writes in place of main's, so that it cannot mix
 * them up.
 */
export function mountRoutes(app: OpenAPIHono<ApiEnv>, run: Run, paths: ReadonlyArray<Path>): void {
  for (const mounted of paths) {
    const { routes, describe, open = false } = mounted
    const path = routes[0]?.config.path
    if (path === undefined) continue
    const allow = allowed(routes)
    const answer = (handler: Handler) => (c: ApiContext) => {
      c.header('Allow', allow)
      return run(
        c,
        Effect.gen(function* () {
          if (open) return yield* handler(c)
          const branch = yield* admit(c, mounted)
          const answered: ReturnType<Handler> = branch === null ? handler(c) : inBranch(branch, handler(c))
          return yield* Effect.locally(answered, visibleServers, c.get('caller').servers)
        }),
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
      answer((c) => Effect.map(describe?.(c) ?? Effect.succeed({}), (about) => c.json(describedTo(c, mounted, about)))),
    )
    app.all(
      pattern,
      answer((c) => methodNotAllowed(c.req.method)),
    )
  }
}

/** What `OPTIONS` tells of a path: no actions to callers who may not write there, as NetBox has it. */
function describedTo(c: ApiContext, { writers, open }: Path, about: object): object {
  if (open === true || mayWrite(c.get('caller'), writers) || !('actions' in about)) return about
  const { actions: _, ...others } = about
  return others
}

const mayWrite = ({ write_enabled, role }: Caller, writers: Path['writers'] = 'admin'): boolean =>
  write_enabled && roleAllows(role, writers)

/** Lets a request in, and gives the branch in which it is answered. */
const admit = (c: ApiContext, { branch: place = 'main', writers, byServer }: Path) =>
  Effect.gen(function* () {
    yield* negotiate(c)
    const { address } = c.get('client')
    const caller = yield* authenticate({
      ...{ header: c.req.header('authorization'), address, requestId: c.get('requestId') },
    })
    if (writing.has(c.req.method) && !mayWrite(caller, writers)) {
      return yield* forbidden('You do not have permission to perform this action.')
    }
    c.set('caller', caller)
    if (caller.servers !== null && byServer !== true) return yield* forbidden(notByServer)
    const named = place === 'any' ? null : yield* namedBranch(c)
    if (named !== null && caller.servers !== null) return yield* forbidden(branchNotByServer)
    if (named !== null && place === 'main' && writing.has(c.req.method)) return yield* notBranched(c, named)
    const branch = place === 'branch' ? named : null
    c.set('branch', branch)
    return branch
  })

const notBranched = (c: ApiContext, { name }: Branch) =>
  badRequest(
    `${c.req.path} is not branched: it can only be changed in main, not in branch ${name}. Leave X-NetBox-Branch and _branch out to do that.`,
  )

function allowed(routes: ReadonlyArray<Route>): string {
  const methods = new Set(routes.map(({ config }) => config.method.toUpperCase()))
  return [...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ')
}

/** Media ranges that JSON satisfies. A browser asks for HTML first; it gets JSON as well. */
const readable = new Set(['application/json', 'application/*', '*/*', 'text/html'])

/** Checks `Accept` and `format` as NetBox does. We answer JSON, and exports in their own forms. */
const negotiate = (c: ApiContext): Effect.Effect<void, HttpError> => {
  const named = c.req.query('format')
  if (named !== undefined && named !== '' && named !== 'json' && named !== 'api')
    return Effect.fail(notFound('Not found.'))
  const accept = c.req.header('accept')?.trim() || '*/*'
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
  const format = askedExport(new URL(c.req.url).searchParams)
  const chosen = ranges.find(([type = '']) => readable.has(type) || type === (format && exportMediaType(format)))
  if (chosen === undefined) return Effect.fail(notAcceptable('Could not satisfy the request Accept header.'))
  const requested = chosen.find((part) => part.startsWith('version='))?.slice('version='.length)
  return requested === undefined || requested === apiVersion
    ? Effect.void
    : Effect.fail(notAcceptable('Invalid version in "Accept" header.'))
}
