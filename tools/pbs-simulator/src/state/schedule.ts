const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const DAY = 86_400
const keywords: Readonly<Record<string, string>> = { daily: '00:00', weekly: 'mon 00:00' }

/** Seconds of a day and, if any, the weekday of `[WEEKDAY ]HH:MM`; null for anything else. */
const parse = (schedule: string): { readonly second: number; readonly weekday: number | null } | null => {
  const found = /^(?:([a-z]{3}) )?(\d{1,2}):(\d{2})$/.exec(keywords[schedule] ?? schedule)
  if (found === null) return null
  const weekday = found[1] === undefined ? null : weekdays.indexOf(found[1])
  return { second: Number(found[2]) * 3600 + Number(found[3]) * 60, weekday }
}

/**
 * When a schedule fires next after `after`, in epoch seconds.
 *
 * Knows the forms that generated fleets use: `hourly`, `daily`, `weekly`, `HH:MM` and `WEEKDAY HH:MM`, in the
 * server's time zone. Null for other forms, as PBS leaves `next-run` out for schedules it cannot compute.
 */
export const nextEvent = (schedule: string | null, after: number, timezone: string): number | null => {
  if (schedule === null) return null
  if (schedule === 'hourly') return Math.floor(after / 3600) * 3600 + 3600
  const requested = parse(schedule)
  if (requested === null) return null
  const local = localTimeOf(timezone, after)
  const midnight = Math.floor(local / DAY) * DAY
  for (let day = 0; day <= 8; day += 1) {
    const candidate = midnight + day * DAY + requested.second
    const weekday = new Date(candidate * 1000).getUTCDay()
    if (candidate > local && (requested.weekday === null || requested.weekday === weekday)) {
      const guess = candidate - (local - after)
      return guess - (localTimeOf(timezone, guess) - candidate)
    }
  }
  return null
}

const formatters = new Map<string, Intl.DateTimeFormat>()

const formatterOf = (timezone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timezone)
  if (known !== undefined) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formatters.set(timezone, formatter)
  return formatter
}

/** Epoch seconds plus the zone's offset at that time: PBS's `localtime`. */
export const localTimeOf = (timezone: string, time: number): number => {
  const parts = formatterOf(timezone).formatToParts(new Date(time * 1000))
  const part = (name: Intl.DateTimeFormatPartTypes) => Number(parts.find(({ type }) => type === name)?.value ?? 0)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) / 1000
}
