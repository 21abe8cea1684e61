import * as z from 'zod'

/** Which requests are meant; everything left out matches. */
export const RequestMatch = z.strictObject({
  method: z.string().optional(),
  /** A path below `/api2/json`: the whole of it, or a pattern searched in it. */
  path: z.union([z.string(), z.instanceof(RegExp)]).optional(),
  /** Query parameters that must have exactly these values; the empty text also matches one that is absent. */
  query: z.record(z.string(), z.string()).optional(),
})
export type RequestMatch = z.infer<typeof RequestMatch>

/** The request that a match is compared with. */
export interface RequestSubject {
  readonly method: string
  /** Below `/api2/json`, percent-decoded. */
  readonly path: string
  readonly query: URLSearchParams
}

const pathMatches = (requested: string | RegExp | undefined, path: string): boolean => {
  if (requested === undefined) return true
  if (typeof requested === 'string') return requested === path
  requested.lastIndex = 0
  return requested.test(path)
}

/** Whether a request is one of those that are meant. */
export const requestMatches = (match: RequestMatch, subject: RequestSubject): boolean =>
  (match.method === undefined || match.method === subject.method) &&
  pathMatches(match.path, subject.path) &&
  Object.entries(match.query ?? {}).every(([name, value]) => (subject.query.get(name) ?? '') === value)
