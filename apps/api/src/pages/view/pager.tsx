import { formatCount } from './format.ts'

/** Where a list stands. */
export interface PagerProps {
  /** Path of the list, without query. */
  readonly path: string
  /** The list's other parameters; kept in every link. */
  readonly parameters: URLSearchParams
  readonly count: number
  readonly limit: number
  readonly offset: number
}

const sizes = [25, 50, 100, 250]

const href = (path: string, parameters: URLSearchParams, change: Readonly<Record<string, string>>) => {
  const next = new URLSearchParams(parameters)
  for (const [name, value] of Object.entries(change)) next.set(name, value)
  return `${path}?${next}`
}

/** "Showing 1–50 of 3 120", the pages around this one, and the page sizes. All of it links. */
export const Pager = ({ path, parameters, count, limit, offset }: PagerProps) => {
  const last = Math.max(0, Math.ceil(count / limit) - 1)
  const current = Math.min(Math.floor(offset / limit), last)
  const near = [...new Set([0, current - 2, current - 1, current, current + 1, current + 2, last])].filter(
    (page) => page >= 0 && page <= last,
  )
  const shown = near.sort((a, b) => a - b)
  return (
    <div class="card-footer d-flex align-items-center flex-wrap gap-2">
      <p class="m-0 text-secondary">
        {count === 0
          ? 'Nothing to show'
          : `Showing ${formatCount(Math.min(offset + 1, count))}–${formatCount(Math.min(offset + limit, count))} of ${formatCount(count)}`}
      </p>
      <ul class="pagination m-0 ms-auto">
        {shown.map((page, i) => (
          <>
            {i > 0 && page - (shown[i - 1] ?? page) > 1 ? (
              <li class="page-item disabled">
                <span class="page-link">…</span>
              </li>
            ) : null}
            <li class={page === current ? 'page-item active' : 'page-item'}>
              <a
                class="page-link"
                href={href(path, parameters, { offset: String(page * limit), limit: String(limit) })}
                aria-current={page === current ? 'page' : undefined}
              >
                {page + 1}
              </a>
            </li>
          </>
        ))}
      </ul>
      <ul class="pagination m-0" aria-label="Rows a page">
        {sizes.map((size) => (
          <li class={size === limit ? 'page-item active' : 'page-item'}>
            <a class="page-link" href={href(path, parameters, { offset: '0', limit: String(size) })}>
              {size}
            </a>
          </li>
        ))}
      </ul>
    </div>
  )
}
