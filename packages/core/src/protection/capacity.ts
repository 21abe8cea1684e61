import type { UsagePoint } from '../usage.ts'

/** When a datastore is full, as the growth of its last 30 days has it. */
export type Forecast =
  | { readonly kind: 'too_little_data'; readonly days: number }
  | { readonly kind: 'not_growing'; readonly bytesPerDay: number }
  | {
      readonly kind: 'grows'
      readonly bytesPerDay: number
      /** Days until it is full, from now; at most `mostDays`, which means that many or more. */
      readonly daysUntilFull: number
      /** The same with the growth of the fast quarter and of the slow quarter of the time. */
      readonly soonest: number
      readonly latest: number
    }

const day = 86_400

/** The days whose growth counts, and how many of them must be known. */
const windowDays = 30
const leastDays = 7

/** Days beyond which a forecast says nothing more. */
export const mostDays = 365

/**
 * When a datastore is full: the median growth a day between any two of the last 30 days (of which
 * each counts with its last point), with the quarters of its spread. A median is not moved by the
 * one night on which garbage collection frees much. `now` is in seconds since 1970; the size is that
 * of the last point.
 */
export function forecastOf(points: ReadonlyArray<UsagePoint>, now: number): Forecast {
  const days = lastOfEachDay(points, now)
  const [first] = days
  const last = days.at(-1)
  const known = first === undefined || last === undefined ? 0 : Math.floor((last.time - first.time) / day) + 1
  if (last === undefined || known < leastDays || days.length < leastDays) {
    return { kind: 'too_little_data', days: Math.min(known, days.length) }
  }
  const slopes = slopesOf(days)
  const bytesPerDay = quantile(slopes, 0.5)
  if (bytesPerDay <= 0) return { kind: 'not_growing', bytesPerDay }
  const free = Math.max(0, last.totalBytes - last.usedBytes)
  const age = (now - last.time) / day
  const until = (slope: number) => (slope <= 0 ? mostDays : Math.min(mostDays, Math.max(0, free / slope - age)))
  return {
    kind: 'grows',
    bytesPerDay,
    daysUntilFull: until(bytesPerDay),
    soonest: until(quantile(slopes, 0.75)),
    latest: until(quantile(slopes, 0.25)),
  }
}

/** A point with its time in seconds since 1970. */
interface Measured {
  readonly time: number
  readonly usedBytes: number
  readonly totalBytes: number
}

/** The last point of each of the last days, oldest first. Points of the future do not count. */
function lastOfEachDay(points: ReadonlyArray<UsagePoint>, now: number): ReadonlyArray<Measured> {
  const days = new Map<number, Measured>()
  for (const { time, used_bytes: usedBytes, total_bytes: totalBytes } of points) {
    const point = { time: Date.parse(time) / 1000, usedBytes, totalBytes }
    if (point.time > now || point.time <= now - windowDays * day) continue
    const nth = Math.floor((now - point.time) / day)
    const other = days.get(nth)
    if (other === undefined || other.time < point.time) days.set(nth, point)
  }
  return [...days.values()].sort((one, other) => one.time - other.time)
}

/** The growth a day between each two points, in bytes, sorted. */
function slopesOf(points: ReadonlyArray<Measured>): ReadonlyArray<number> {
  return points
    .flatMap((from, nth) =>
      points.slice(nth + 1).map((to) => ((to.usedBytes - from.usedBytes) * day) / (to.time - from.time)),
    )
    .sort((one, other) => one - other)
}

/** The value below which a share of sorted numbers lies, between two of them by proportion. */
function quantile(sorted: ReadonlyArray<number>, share: number): number {
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}
