import type { Child } from 'hono/jsx'

/** A link of a breadcrumb. */
export interface Crumb {
  readonly href: string
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
                <li class="breadcrumb-item">
                  <a href={href}>{label}</a>
                </li>
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
