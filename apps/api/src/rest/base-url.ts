import type { ApiContext } from './caller.ts'

/** Scheme, host and prefix as the client saw them, without a trailing slash: what every link starts with. */
export function baseUrl(c: ApiContext): string {
  const proto = first(c.req.header('x-forwarded-proto'))
  const scheme = proto === 'https' || proto === 'http' ? proto : new URL(c.req.url).protocol.slice(0, -1)
  return `${scheme}://${clientHost(c)}${prefix(c)}`
}

/** The host that the client asked, as a proxy in front forwards it. */
export function clientHost(c: ApiContext): string {
  return first(c.req.header('x-forwarded-host')) ?? c.req.header('host') ?? ''
}

/** The path below which a proxy in front serves us; empty without one. */
export function prefix(c: ApiContext): string {
  const path = first(c.req.header('x-forwarded-prefix'))
  return path !== undefined && /^(?:\/[\w.~-]+)+\/?$/.test(path) ? path.replace(/\/$/, '') : ''
}

const first = (header: string | undefined): string | undefined => header?.split(',')[0]?.trim() || undefined
