import { createMiddleware } from 'hono/factory'
import type { ApiEnv } from '../rest/caller.ts'
import { home } from '../rest/page-paths.ts'

const root = home.slice(0, -1)
/** The OpenAPI document and its pages. */
const schema = '/api/schema/'

/** Attributes that hold a path of ours. Text that people wrote has no bare quotes in a page. */
const paths = new RegExp(`( (?:href|src|action|formaction|hx-[a-z-]+)=")(${root}[/"?]|${schema})`, 'g')

/**
 * Puts the prefix that the client knows before every path in a page and in its `Location`, so that
 * pages themselves are written without one.
 */
export const prefixedPages = createMiddleware<ApiEnv>(async (c, next) => {
  await next()
  const { prefix } = c.get('client')
  if (prefix === '') return
  const location = c.res.headers.get('Location')
  if (location?.startsWith(`${root}/`) === true || location?.startsWith(schema) === true)
    c.res.headers.set('Location', `${prefix}${location}`)
  if (c.res.headers.get('Content-Type')?.startsWith('text/html') !== true) return
  const html = await c.res.text()
  c.res = new Response(html.replaceAll(paths, `$1${prefix}$2`), c.res)
})
