import { createMiddleware } from 'hono/factory'
import type { ApiEnv } from './caller.ts'

const loopback = /^(?:localhost|(?:[\w-]+\.)*localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/**
 * Refuses hosts that are not ours, so that a page of another site cannot reach a local system by a name of its own (DNS rebinding).
 * Loopback names are ours; `allowed` adds names, `.example.com` with all below it, or `*` for every one.
 */
export const allowedHost = (allowed: ReadonlyArray<string>) => {
  const known = (header: string | undefined) => {
    const host = (header ?? '').trim().toLowerCase().replace(/:\d*$/, '')
    return loopback.test(host) || allowed.some((entry) => matches(entry.toLowerCase(), host))
  }
  return createMiddleware<ApiEnv>(async (c, next) => {
    const forwarded = c.req.header('x-forwarded-host')?.split(',')[0]
    if (known(c.req.header('host')) && (forwarded === undefined || known(forwarded))) return next()
    return c.json({ detail: 'Unknown Host; the operator names the hosts of this system with --allowed-host.' }, 400)
  })
}

function matches(entry: string, host: string): boolean {
  if (entry === '*') return host !== ''
  return entry.startsWith('.') ? host === entry.slice(1) || host.endsWith(entry) : host === entry
}
