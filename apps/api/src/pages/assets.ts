import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { home } from '../rest/page-paths.ts'

interface Asset {
  readonly type: string
  readonly body: string
  readonly packed: Buffer<ArrayBuffer>
  /** Changes with the body. */
  readonly version: string
}

const require = createRequire(import.meta.url)
const packaged = (path: string): string => withoutMap(readFileSync(path, 'utf8'))
const own = (name: string): string => readFileSync(fileURLToPath(new URL(`./assets/${name}`, import.meta.url)), 'utf8')

const asset = (type: string, body: string): Asset => ({
  type: `${type}; charset=utf-8`,
  body,
  packed: Buffer.from(gzipSync(body)),
  version: createHash('sha256').update(body).digest('hex').slice(0, 16),
})

const withoutMap = (code: string): string => code.replace(/\/[/*]# sourceMappingURL=.*$/m, '')

/** The files that pages load. A name is looked up here, never joined to a path, so no other file is served. */
const files = {
  'tabler.css': asset('text/css', packaged(require.resolve('@tabler/core/dist/css/tabler.min.css'))),
  'netbox-pbs.css': asset('text/css', own('netbox-pbs.css')),
  'icons.svg': asset('image/svg+xml', own('icons.svg')),
  'keys.js': asset('text/javascript', own('keys.js')),
  'color-mode.js': asset('text/javascript', own('color-mode.js')),
  'htmx.js': asset('text/javascript', packaged(require.resolve('htmx.org/dist/htmx.min.js'))),
} as const satisfies Readonly<Record<string, Asset>>

/** The address of a file; it changes with the content, so that browsers may cache it. */
export const assetPath = (name: keyof typeof files): string => `${home}static/${name}?v=${files[name].version}`

const isAsset = (name: string): name is keyof typeof files => Object.hasOwn(files, name)

/** Style and script of the pages, to be mounted at `/plugins/pbs/static`. */
export const assets = new Hono().get('/:name', (c, next) => {
  const name = c.req.param('name')
  if (!isAsset(name)) return next()
  const { type, body, packed, version } = files[name]
  const etag = `"${version}"`
  const headers = {
    'Content-Type': type,
    'Cache-Control':
      c.req.query('v') === version ? 'public, max-age=31536000, immutable' : 'public, max-age=300, must-revalidate',
    ETag: etag,
    Vary: 'Accept-Encoding',
  }
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers)
  return /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
    ? c.body(packed, 200, { ...headers, 'Content-Encoding': 'gzip' })
    : c.body(body, 200, headers)
})
