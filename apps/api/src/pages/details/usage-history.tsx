import { type UsagePoint, usageSlotSeconds } from '@netbox-pbs/core'

const width = 600
const height = 80

/**
 * Usage of a datastore over time, as a line from 0 to 100 %; empty without known points. `points`
 * are newest first.
 */
export const UsageHistory = ({ points }: { points: ReadonlyArray<UsagePoint> }) => {
  const oldestFirst = points.filter(({ total_bytes: total }) => total > 0).toReversed()
  const first = oldestFirst[0]
  const last = oldestFirst.at(-1)
  if (first === undefined || last === undefined) return null
  const highest = Math.max(...oldestFirst.map(shareOf))
  const summary = `From ${percent(shareOf(first))} on ${day(first)} to ${percent(shareOf(last))} on ${day(last)}, at most ${percent(highest)}.`
  return (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">Usage history</h2>
      </div>
      <div class="card-body">
        <svg
          class="netbox-pbs-sparkline"
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-labelledby="usage-history-title"
        >
          <title id="usage-history-title">{`Usage over time. ${summary}`}</title>
          <path d={sparkline(oldestFirst)} />
        </svg>
        <p class="text-secondary mb-0">{summary}</p>
      </div>
    </section>
  )
}

/** The line of points, oldest first; interrupted where slots are missing. */
export function sparkline(points: ReadonlyArray<UsagePoint>): string {
  const times = points.map(({ time }) => Date.parse(time) / 1000)
  const start = times[0] ?? 0
  const span = Math.max((times.at(-1) ?? 0) - start, usageSlotSeconds)
  return points
    .map((point, i) => {
      const time = times[i] ?? start
      const connected = i > 0 && time - (times[i - 1] ?? start) <= usageSlotSeconds
      const x = ((time - start) / span) * width
      const y = height - Math.min(shareOf(point), 1) * height
      // A point between two gaps still draws a dot: the line's caps are round.
      return `${connected ? 'L' : `M${rounded(x)},${rounded(y)}L`}${rounded(x)},${rounded(y)}`
    })
    .join('')
}

const rounded = (value: number): string => String(Math.round(value * 10) / 10)
const shareOf = ({ used_bytes: used, total_bytes: total }: UsagePoint): number => used / total
const percent = (share: number): string => `${Math.round(share * 100)} %`
const day = ({ time }: UsagePoint): string => time.slice(0, 10)
