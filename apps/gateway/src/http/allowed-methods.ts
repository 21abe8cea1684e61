import type { Hono } from 'hono'

/** The methods that a path answers to, for `Allow`; none for a path that is not there. A slash at the end does not matter. */
export const allowedMethods = ({ routes }: Pick<Hono, 'routes'>, path: string): ReadonlyArray<string> => {
  const requested = segmentsOf(path)
  const methods = routes.flatMap((route) =>
    // Middleware is registered for all methods.
    route.method !== 'ALL' && fits(segmentsOf(route.path), requested) ? [route.method] : [],
  )
  return [...new Set(methods)].sort()
}

const segmentsOf = (path: string): ReadonlyArray<string> => path.split('/').filter((segment) => segment !== '')

const fits = (pattern: ReadonlyArray<string>, path: ReadonlyArray<string>): boolean =>
  pattern.length === path.length && pattern.every((part, index) => part.startsWith(':') || part === path[index])
