import { randomUUID } from 'node:crypto'
import { createMiddleware } from 'hono/factory'
import type { ApiEnv } from '../rest/caller.ts'
import { apiVersion } from '../version.ts'

/** On every response: who it is, how it may be shown, and for the API its version. */
export const responseHeaders = createMiddleware<ApiEnv>(async (c, next) => {
  const requestId = randomUUID()
  c.set('requestId', requestId)
  await next()
  const headers = c.res.headers
  headers.set('X-Request-ID', requestId)
  headers.set('X-Content-Type-Options', 'nosniff')
  headers.set('X-Frame-Options', 'SAMEORIGIN')
  headers.set('Referrer-Policy', 'same-origin')
  headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  headers.set(
    'Content-Security-Policy',
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; form-action 'self'; base-uri 'none'",
  )
  if (c.req.path.startsWith('/api/')) {
    headers.set('API-Version', apiVersion)
    headers.set('Cache-Control', 'no-store')
    headers.set('Vary', 'Accept, Authorization')
  }
})
