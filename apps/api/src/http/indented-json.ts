import { createMiddleware } from 'hono/factory'
import type { ApiEnv } from '../rest/caller.ts'

/** The most spaces of a level. */
const deepest = 8

/** Indents an answer for `Accept: application/json; indent=2`; else JSON has no spaces. */
export const indentedJson = createMiddleware<ApiEnv>(async (c, next) => {
  await next()
  const spaces = Number(/application\/json\s*;[^,]*\bindent=(\d{1,3})/i.exec(c.req.header('accept') ?? '')?.[1] ?? 0)
  if (spaces === 0 || c.res.headers.get('Content-Type') !== 'application/json') return
  const indented = JSON.stringify(await c.res.json(), null, Math.min(spaces, deepest))
  c.res = new Response(indented, c.res)
})
