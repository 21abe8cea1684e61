import { isAllowedHost, unknownHostDetail } from '@netbox-pbs/app-shell'
import { createMiddleware } from 'hono/factory'
import type { ApiEnv } from '../rest/caller.ts'

/** Refuses hosts that are not ours, also where a proxy forwards them. */
export const allowedHost = (allowed: ReadonlyArray<string>) => {
  const known = isAllowedHost(allowed)
  return createMiddleware<ApiEnv>(async (c, next) => {
    const forwarded = c.req.header('x-forwarded-host')?.split(',')[0]
    if (known(c.req.header('host')) && (forwarded === undefined || known(forwarded))) return next()
    return c.json({ detail: unknownHostDetail }, 400)
  })
}
