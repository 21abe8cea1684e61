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

/** What a match is compared with. */
export interface RequestSubject {
  readonly method: string
  /** Below `/api2/json`, percent-decoded. */
  readonly path: string
  readonly query: URLSearchParams
}

const pathMatches = (wanted: string | RegExp | undefined, path: string): boolean => {
  if (wanted === undefined) return true
  if (typeof wanted === 'string') return wanted === path
  wanted.lastIndex = 0
  return wanted.test(path)
}

/** Whether a request is one of those that are meant. */
export const requestMatches = (match: RequestMatch, subject: RequestSubject): boolean =>
  (match.method === undefined || match.method === subject.method) &&
  pathMatches(match.path, subject.path) &&
  Object.entries(match.query ?? {}).every(([name, value]) => (subject.query.get(name) ?? '') === value)
