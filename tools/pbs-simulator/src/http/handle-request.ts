import { authenticate } from '../permissions/authenticate.ts'
import { ApiError, type Route, type RouteContext } from '../routes/route.ts'
import { routes } from '../routes/routes.ts'
import type { PbsState } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'
import { createRandom } from '../state/random.ts'
import { checkParameters } from './parameters.ts'
import { JSON_TYPE, resultResponse, type SimulatedResponse, textResponse } from './response.ts'

/** A parsed request. */
interface ApiRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The context of the server apart from its state. */
export interface Surroundings {
  readonly state: PbsState
  readonly clock: number
  readonly fingerprint: string
  /** How long a 401 and a 403 take, in milliseconds. */
  readonly unauthorizedDelayMs: number
  readonly forbiddenDelayMs: number
  /** Differs from call to call, so that rows come in another order each time. */
  readonly callNumber: number
}

const MAX_TARGET = 3072
const COOKIE_RESET =
  '__Host-PBSAuthCookie=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; HttpOnly; Path=/;'

/** Path segments, percent-decoded; null when one is illegal. */
const decodeSegments = (path: string): string[] | null => {
  try {
    const segments = path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent)
    return segments.some((segment) => segment.startsWith('.')) ? null : segments
  } catch {
    return null
  }
}

/** Builds 4.1.2 and 4.1.3 answered a failed authentication with 400. */
const unauthorizedStatus = (state: PbsState): number =>
  atLeast(state, '4.1.2') && !atLeast(state, '4.1.4') ? 400 : 401

const rejectUnauthorized = (around: Surroundings, reason: string): SimulatedResponse =>
  textResponse(
    unauthorizedStatus(around.state),
    atLeast(around.state, '4.1.2') ? 'authentication failed' : `authentication failed - ${reason}`,
    {
      contentType: null,
      delayMs: around.unauthorizedDelayMs,
      ...(atLeast(around.state, '4.0') ? { headers: { 'set-cookie': COOKIE_RESET } } : {}),
    },
  )

const permitted = (route: Route, context: RouteContext): boolean => {
  switch (route.permission) {
    case 'world':
    case 'authenticated':
      return true
    case 'superuser':
      return context.authId === 'root@pam'
    default:
      return route.permission(context)
  }
}

/** With a JSON content type PBS reads the body alone and drops the query; other types but forms are refused. */
const queryOf = (request: ApiRequest, query: string): URLSearchParams | null => {
  const type = String(request.headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase()
  if (type === undefined || type === '' || type === 'application/x-www-form-urlencoded')
    return new URLSearchParams(query)
  return type === 'application/json' ? new URLSearchParams() : null
}

const pathOnly = (captures: readonly (readonly [string, string])[]) =>
  new Map<string, string | number | boolean>(captures)

const answerRoute = (
  route: Route,
  captures: readonly (readonly [string, string])[],
  context: RouteContext,
  request: ApiRequest,
  query: string,
  around: Surroundings,
): SimulatedResponse => {
  // The privilege check comes before the parameters are checked; it sees the path alone.
  if (!permitted(route, { ...context, parameters: pathOnly(captures) }))
    return textResponse(403, 'permission check failed', { delayMs: around.forbiddenDelayMs })
  const given = queryOf(request, query)
  if (given === null)
    return textResponse(400, `unsupported content type ${JSON.stringify(request.headers['content-type'])}`)
  const check = checkParameters(route.parameters(context.state), [...captures, ...given])
  if (!check.ok) return textResponse(400, check.message)
  try {
    return resultResponse(route.handle({ ...context, parameters: check.values }))
  } catch (error) {
    if (error instanceof ApiError) return textResponse(error.status, error.message)
    throw error
  }
}

const splitTarget = (target: string): readonly [string, string] => {
  const mark = target.indexOf('?')
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
}

/** Answers a request as PBS does: length, path and format first, then credentials, route, privileges, parameters. */
export const handleRequest = (request: ApiRequest, around: Surroundings): SimulatedResponse => {
  const [path, query] = splitTarget(request.target)
  if (path.length + query.length > MAX_TARGET) return textResponse(414, '', { contentType: null })
  const segments = decodeSegments(path)
  if (segments === null) return textResponse(400, 'Path contains illegal components.', { contentType: null })
  if (segments[0] !== 'api2')
    return { ...textResponse(200, '<!DOCTYPE html><title>Proxmox Backup Server</title>'), contentType: 'text/html' }
  const format = segments[1]
  if (format !== 'json') return textResponse(400, `Unsupported output format '${format ?? ''}'.`, { contentType: null })

  const { state } = around
  const found = findRoute(routes, state, request.method, segments.slice(2))
  const isWorld = found !== null && 'route' in found && found.route.permission === 'world'
  const header = request.headers['authorization']
  const who = authenticate(state, typeof header === 'string' ? header : undefined, around.clock)
  if ('reason' in who && !isWorld) return rejectUnauthorized(around, who.reason)
  if (found === null) return textResponse(404, `Path '${path}' not found.`)
  if ('index' in found) {
    const rows = found.index.map((subdir) => ({ subdir }))
    return { ...resultResponse({ data: rows }), contentType: JSON_TYPE }
  }
  const context: RouteContext = {
    state,
    authId: 'authId' in who ? who.authId : '',
    parameters: new Map(),
    clock: around.clock,
    fingerprint: around.fingerprint,
    shuffled: shuffler(state.seed, around.callNumber),
  }
  return answerRoute(found.route, found.captures, context, request, query, around)
}

/** Permutations of `0..length-1` for the lists of one call; equal arguments give equal orders. */
const shuffler = (seed: number, callNumber: number): ((length: number) => Uint32Array) => {
  const random = createRandom(seed ^ Math.imul(callNumber, 0x2545f491))
  return (length) => {
    const order = Uint32Array.from({ length }, (_, index) => index)
    for (let index = length - 1; index > 0; index -= 1) {
      const other = random.upTo(index + 1)
      const kept = order[index] ?? 0
      order[index] = order[other] ?? 0
      order[other] = kept
    }
    return order
  }
}

/** A route with the values of its `{name}` segments, or the children of an intermediate path. */
type Found =
  | { readonly route: Route; readonly captures: readonly (readonly [string, string])[] }
  | { readonly index: readonly string[] }

const capture = (template: readonly string[], segments: readonly string[]): (readonly [string, string])[] | null => {
  if (template.length !== segments.length) return null
  const captures: (readonly [string, string])[] = []
  for (const [position, part] of template.entries()) {
    const segment = segments[position] ?? ''
    if (part.startsWith('{')) captures.push([part.slice(1, -1), segment])
    else if (part !== segment) return null
  }
  return captures
}

const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '')

/** Finds the handler of a path on this release; null is a 404. */
const findRoute = (
  routes: readonly Route[],
  state: PbsState,
  method: string,
  segments: readonly string[],
): Found | null => {
  const children = new Set<string>()
  for (const route of routes) {
    if (route.method !== method || (route.since !== undefined && !atLeast(state, route.since))) continue
    const template = segmentsOf(route.path)
    const captures = capture(template, segments)
    if (captures !== null) return { route, captures }
    const next = template[segments.length]
    if (next !== undefined && !next.startsWith('{') && capture(template.slice(0, segments.length), segments) !== null)
      children.add(next)
  }
  return children.size > 0 ? { index: [...children].sort() } : null
}
