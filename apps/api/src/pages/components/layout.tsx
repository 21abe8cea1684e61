import type { Child } from 'hono/jsx'
import { assetPath } from '../assets.ts'
import { BranchBanner, type BranchBannerProps } from './branch-banner.tsx'
import { Sidebar } from './sidebar.tsx'
import type { Viewer } from './viewer.ts'

/** Properties of every page. */
export interface LayoutProps {
  readonly title: string
  /** The page's own path, to mark its menu item. */
  readonly path: string
  /** Null: no user is signed in, so the page has no menu. */
  readonly viewer: Viewer | null
  readonly children?: Child
  /** Load again every few seconds where there is no script: something is under way. */
  readonly refresh?: boolean
  /** The branch that the page is inside of; left out or null: it is main's. */
  readonly banner?: BranchBannerProps | null
}

/** Keeps htmx within the policy of the pages: no inline style, no evaluated text, no other site, no copy of a page in the browser's storage. */
const htmxConfig = JSON.stringify({
  includeIndicatorStyles: false,
  allowEval: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
})

/** The frame of every page: menu, then content. */
export const Layout = ({ title, path, viewer, children, refresh = false, banner = null }: LayoutProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="htmx-config" content={htmxConfig} />
      {refresh ? (
        <noscript>
          <meta http-equiv="refresh" content="3" />
        </noscript>
      ) : null}
      <title>{`${title} · netbox-pbs`}</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href={assetPath('tabler.css')} />
      <link rel="stylesheet" href={assetPath('netbox-pbs.css')} />
      <script src={assetPath('color-mode.js')} />
      <script src={assetPath('htmx.js')} defer />
    </head>
    <body>
      {viewer === null ? (
        <main class="page page-center">
          <div class="container container-tight py-4">{children}</div>
        </main>
      ) : (
        <div class="page">
          <a class="visually-hidden-focusable netbox-pbs-skip" href="#content">
            Skip to content
          </a>
          <Sidebar path={path} viewer={viewer} branch={banner?.branch ?? null} />
          <div class="page-wrapper">
            <main class="page-body" id="content" tabindex={-1}>
              <div class="container-fluid">
                {banner === null ? null : <BranchBanner {...banner} />}
                {children}
              </div>
            </main>
          </div>
        </div>
      )}
    </body>
  </html>
)
