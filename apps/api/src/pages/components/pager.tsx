import { formatCount } from './format.ts'

/** The place of the page in its list. */
export interface PagerProps {
  /** Path of the list, without query. */
  readonly path: string
  /** The list's parameters; kept in every link. */
  readonly parameters: URLSearchParams
  readonly count: number
  readonly limit: number
  readonly offset: number
}

const sizes = [25, 50, 100, 250, 500, 1000]

/** Its id is the same on the page that it leads to, so that the focus stays on it. */
const Step = ({
  id,
  href,
  label,
  text,
  enabled,
}: {
  id: string
  href: string
  label: string
  text: string
  enabled: boolean
}) => (
  <li class={enabled ? 'page-item' : 'page-item disabled'}>
    {enabled ? (
      <a id={id} class="page-link" href={href} aria-label={label}>
        {text}
      </a>
    ) : (
      <span id={id} class="page-link" tabindex={-1}>
        <span aria-hidden="true">{text}</span>
        <span class="visually-hidden">No {label.toLowerCase()}</span>
      </span>
    )}
  </li>
)

/** "Showing 1–50 of 3 120", the pages around this one, and the page sizes. All of it links. */
export const Pager = ({ path, parameters, count, limit, offset }: PagerProps) => {
  const { from, to, current, last, offered } = pageNumbers({ count, limit, offset })
  const href = (rows: number, size: number): string => {
    const next = new URLSearchParams(parameters)
    next.set('limit', String(size))
    next.set('offset', String(rows))
    return `${path}?${next}`
  }
  return (
    <div class="card-footer d-flex align-items-center justify-content-between flex-wrap gap-3">
      <p class="m-0 text-secondary" role="status">
        {to === 0
          ? `Showing none of ${formatCount(count)}`
          : `Showing ${formatCount(from)}–${formatCount(to)} of ${formatCount(count)}`}
      </p>
      {last === 0 ? null : (
        <nav aria-label="Pages of the list">
          <ul class="pagination m-0 flex-wrap">
            <Step
              id="page-previous"
              href={href((current - 1) * limit, limit)}
              label="Previous page"
              text="‹"
              enabled={current > 0}
            />
            {offered.map((page) =>
              page === null ? (
                <li class="page-item disabled">
                  <span class="page-link">…</span>
                </li>
              ) : (
                <li class={page === current ? 'page-item active' : 'page-item'}>
                  <a
                    id={`page-${page + 1}`}
                    class="page-link"
                    href={href(page * limit, limit)}
                    aria-current={page === current ? 'page' : undefined}
                  >
                    {page + 1}
                  </a>
                </li>
              ),
            )}
            <Step
              id="page-next"
              href={href((current + 1) * limit, limit)}
              label="Next page"
              text="›"
              enabled={current < last}
            />
          </ul>
        </nav>
      )}
      {count <= (sizes[0] ?? 0) ? null : (
        <div class="text-secondary">
          Per page{' '}
          {sizes.map((size) => (
            <>
              {size === limit ? (
                <strong aria-current="true">{size}</strong>
              ) : (
                <a href={href(0, size)} aria-label={`${size} rows a page`}>
                  {size}
                </a>
              )}{' '}
            </>
          ))}
        </div>
      )}
    </div>
  )
}

/** The place of a page in its list. Pages are counted from 0. */
interface PageNumbers {
  /** The first and last row shown, counted from 1; both 0 when none is. */
  readonly from: number
  readonly to: number
  readonly current: number
  readonly last: number
  /** The pages to offer, in order: the ends and those around this one; null is a gap. */
  readonly offered: ReadonlyArray<number | null>
}

/** The pages of a list of `count` rows, and those to offer. A page past the end becomes the last page. */
export function pageNumbers({
  count,
  limit,
  offset,
}: {
  readonly count: number
  readonly limit: number
  readonly offset: number
}): PageNumbers {
  const last = Math.max(0, Math.ceil(count / limit) - 1)
  const current = Math.min(Math.floor(offset / limit), last)
  const near = [current - 2, current - 1, current, current + 1, current + 2]
  const pages = [...new Set([0, ...near, last])].filter((page) => page >= 0 && page <= last).sort((a, b) => a - b)
  const offered = pages.flatMap((page, i) => (i > 0 && page - (pages[i - 1] ?? page) > 1 ? [null, page] : [page]))
  const isWithin = offset < count
  return { from: isWithin ? offset + 1 : 0, to: isWithin ? Math.min(offset + limit, count) : 0, current, last, offered }
}
