import type { Route } from '../routes/route.ts'
import type { PbsState } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'

/** A route with what its `{name}` segments captured, or the children of an intermediate path. */
export type Found =
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

/** Finds what answers a path on this release; null is a 404. */
export const findRoute = (
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
