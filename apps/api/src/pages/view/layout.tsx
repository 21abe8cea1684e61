import { registry } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'

/** Who is signed in, as the page needs it. */
export interface Viewer {
  readonly username: string
  readonly writes: boolean
  /** Goes into every form; bound to the session. */
  readonly formToken: string
}

/** What every page has. */
export interface LayoutProps {
  readonly title: string
  /** The page's own path, to mark its menu item. */
  readonly path: string
  readonly viewer: Viewer | null
  readonly children?: Child
  /** Reload every few seconds where there is no script: something is under way. */
  readonly refresh?: boolean
}

const inventory = [registry.server, registry.datastore, registry.group, registry.snapshot, registry.job].map(
  (model) => ({
    href: `/plugins/pbs/${model.path}/`,
    label: model.labelPlural,
  }),
)

const menu = [
  { heading: 'Inventory', items: inventory },
  { heading: 'Operations', items: [{ href: '/plugins/pbs/sync-runs/', label: 'Sync runs' }] },
]

const MenuItem = ({ href, label, path }: { href: string; label: string; path: string }) => {
  const active = path.startsWith(href)
  return (
    <li class={active ? 'nav-item active' : 'nav-item'}>
      <a class="nav-link" href={href} aria-current={active ? 'page' : undefined}>
        <span class="nav-link-title">{label}</span>
      </a>
    </li>
  )
}

const Sidebar = ({ path, viewer }: { path: string; viewer: Viewer }) => (
  <aside class="navbar navbar-vertical navbar-expand-lg" aria-label="Menu">
    <div class="container-fluid">
      <a class="navbar-brand navbar-brand-autodark" href="/plugins/pbs/">
        netbox-pbs
      </a>
      <nav class="navbar-collapse netbox-pbs-menu" id="menu">
        {menu.map(({ heading, items }) => (
          <>
            <div class="subheader px-3 pt-3">{heading}</div>
            <ul class="navbar-nav pt-1">
              {items.map((item) => (
                <MenuItem {...item} path={path} />
              ))}
            </ul>
          </>
        ))}
        <form class="px-3 py-3 mt-auto" method="post" action="/plugins/pbs/logout/">
          <input type="hidden" name="form_token" value={viewer.formToken} />
          <div class="text-secondary mb-2">Signed in as {viewer.username}</div>
          <button class="btn btn-sm" type="submit">
            Sign out
          </button>
        </form>
      </nav>
    </div>
  </aside>
)

/** The page around every page: menu, title, content. */
export const Layout = ({ title, path, viewer, children, refresh }: LayoutProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false,"selfRequestsOnly":true}' />
      {refresh ? (
        <noscript>
          <meta http-equiv="refresh" content="3" />
        </noscript>
      ) : null}
      <title>{`${title} · netbox-pbs`}</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="/plugins/pbs/static/tabler.min.css" />
      <link rel="stylesheet" href="/plugins/pbs/static/netbox-pbs.css" />
      <script src="/plugins/pbs/static/color-mode.js" />
      <script src="/plugins/pbs/static/htmx.min.js" defer />
    </head>
    <body>
      <div class="page">
        {viewer === null ? null : <Sidebar path={path} viewer={viewer} />}
        <div class="page-wrapper">
          <main class="page-body">
            <div class="container-xl">{children}</div>
          </main>
        </div>
      </div>
    </body>
  </html>
)

/** The title line of a page, with its buttons. */
export const PageTitle = ({ title, above, children }: { title: string; above?: Child; children?: Child }) => (
  <div class="page-header d-print-none mb-3">
    <div class="row align-items-center">
      <div class="col">
        {above === undefined ? null : <div class="page-pretitle">{above}</div>}
        <h1 class="page-title">{title}</h1>
      </div>
      <div class="col-auto btn-list">{children}</div>
    </div>
  </div>
)
