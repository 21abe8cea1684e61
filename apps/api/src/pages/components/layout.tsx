import { type Branch, formatTimestamp } from '@netbox-pbs/core'
import { type Child, useContext } from 'hono/jsx'
import { branchPage } from '../../rest/page-paths.ts'
import { assetPath } from '../assets.ts'
import { formatTime } from './format.ts'
import { goKeys, Sidebar } from './sidebar.tsx'
import { PageTime } from './time.tsx'
import type { Viewer } from './viewer.ts'

/** Properties of every page. */
interface LayoutProps {
  readonly title: string
  /** The page's own path, to mark its menu item. */
  readonly path: string
  /** Null: no user is signed in, so the page has no menu. */
  readonly viewer: Viewer | null
  /** A page without a menu has the whole width. */
  readonly wide?: boolean
  readonly children?: Child
  /** Load again every few seconds where there is no script: something is under way. */
  readonly refresh?: boolean
  /** The branch that the page is in; left out or null: it is main's. */
  readonly banner?: BranchBannerProps | null
}

/**
 * Keeps htmx within the policy of the pages: no inline style, no evaluated text, no other site, no
 * copy of a page in the browser's storage.
 */
const htmxConfig = JSON.stringify({
  includeIndicatorStyles: false,
  allowEval: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
})

/** The frame of every page: menu, then content. */
export const Layout = ({
  title,
  path,
  viewer,
  wide = false,
  children,
  refresh = false,
  banner = null,
}: LayoutProps) => (
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
      {viewer === null ? null : <script src={assetPath('keys.js')} defer />}
    </head>
    <body>
      {viewer === null && wide ? (
        <main class="page-body" id="content">
          <div class="container-xl">{children}</div>
        </main>
      ) : viewer === null ? (
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
                <Foot />
              </div>
            </main>
          </div>
          <Keys />
        </div>
      )}
    </body>
  </html>
)

/** To when ages are counted, and where the exact times are. */
const Foot = () => {
  const now = useContext(PageTime)
  return now === null ? null : (
    <footer class="text-secondary small mt-3 d-print-none">
      Read at {formatTime(formatTimestamp(now))}. Ages count to then; a time on hover is in UTC, with scripts in your
      zone too. Press ? for keys.
    </footer>
  )
}

/** The keys of pages, in a dialog that `?` opens. */
const Keys = () => (
  <dialog id="keys" class="netbox-pbs-keys" aria-labelledby="keys-title">
    <h2 id="keys-title">Keys</h2>
    <dl>
      {[
        { key: '/', label: 'Search this list' },
        { key: 'j', label: 'Next row' },
        { key: 'k', label: 'Previous row' },
        { key: 'Enter', label: 'Open the row' },
        ...goKeys.map(({ key, label }) => ({ key: `g ${key}`, label })),
        { key: '?', label: 'This list of keys' },
      ].map(({ key, label }) => (
        <div>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{label}</dd>
        </div>
      ))}
    </dl>
    <form method="dialog">
      <button class="btn" type="submit">
        Close
      </button>
    </form>
  </dialog>
)

/** A link of a breadcrumb. */
interface Crumb {
  /** Null: it has no page. */
  readonly href: string | null
  readonly label: string
}

/** The title line of a page: the way here, the title, and the page's buttons. */
export const PageTitle = ({
  title,
  crumbs = [],
  children,
}: {
  title: string
  crumbs?: ReadonlyArray<Crumb>
  children?: Child
}) => (
  <div class="page-header d-print-none mt-0 mb-3">
    <div class="row g-2 align-items-center">
      <div class="col">
        {crumbs.length === 0 ? null : (
          <nav aria-label="Breadcrumb">
            <ol class="breadcrumb mb-1">
              {crumbs.map(({ href, label }) => (
                <li class="breadcrumb-item">{href === null ? label : <a href={href}>{label}</a>}</li>
              ))}
            </ol>
          </nav>
        )}
        <h1 class="page-title netbox-pbs-break">{title}</h1>
      </div>
      <div class="col-auto btn-list">{children}</div>
    </div>
  </div>
)

/** The branch that a page is in. */
export interface BranchBannerProps {
  readonly branch: Pick<Branch, 'id' | 'name' | 'schema_id'>
  /** The same page in main. */
  readonly out: string
  /** The rows of the page, and whether they are branched; if not, they are main's here too. */
  readonly what: string
  readonly branched: boolean
}

/** Says that a page is not main's, where its changes are, and the way out. */
const BranchBanner = ({ branch, out, what, branched }: BranchBannerProps) => (
  <div class="alert alert-info netbox-pbs-alert netbox-pbs-banner" role="status">
    <div class="netbox-pbs-break">
      You are in branch{' '}
      <a class="alert-link" href={branchPage(branch.id)}>
        {branch.name}
      </a>
      . {branched ? 'Its changes are not in main yet.' : `${what} are not branched: these are main’s.`}
    </div>
    <a class="btn btn-sm" href={out}>
      Leave the branch
    </a>
  </div>
)
