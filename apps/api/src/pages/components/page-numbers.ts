/** Where a list stands. Pages are counted from 0. */
export interface PageNumbers {
  /** The first and last row shown, counted from 1; both 0 when none is. */
  readonly from: number
  readonly to: number
  readonly current: number
  readonly last: number
  /** The pages to offer, in order: the ends and those around this one; null stands for some left out. */
  readonly offered: ReadonlyArray<number | null>
}

/** Which pages a list of `count` rows has and which of them to offer. A list past its end stands on its last page. */
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
  const shown = offset < count
  return { from: shown ? offset + 1 : 0, to: shown ? Math.min(offset + limit, count) : 0, current, last, offered }
}
