import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'

const { resolve } = createRequire(import.meta.url)
const own = (name: string): string => fileURLToPath(new URL(`./assets/${name}`, import.meta.url))

/** The files pages load, by name. Nothing else is served: a name is looked up, never joined to a path. */
const files: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  'tabler.min.css': { path: resolve('@tabler/core/dist/css/tabler.min.css'), type: 'text/css' },
  'htmx.min.js': { path: resolve('htmx.org/dist/htmx.min.js'), type: 'text/javascript' },
  'netbox-pbs.css': { path: own('netbox-pbs.css'), type: 'text/css' },
  'color-mode.js': { path: own('color-mode.js'), type: 'text/javascript' },
}

/** Style and script of the pages, under `/plugins/pbs/static/`. */
export const assets = new Hono().get('/:name', async (c) => {
  const file = files[c.req.param('name')]
  if (file === undefined) return c.notFound()
  return c.body(new Uint8Array(await readFile(file.path)), 200, {
    'Content-Type': `${file.type}; charset=utf-8`,
    'Cache-Control': 'public, max-age=3600',
  })
})
