/** A time of the week in which a server sleeps; `days` are those on which it begins, 0 is Sunday. */
interface Sleep {
  readonly days: ReadonlySet<number>
  /** Minutes after midnight UTC; `to` lies on the next day when it is not after `from`. */
  readonly from: number
  readonly to: number
}

const weekdays: ReadonlyArray<string> = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const dayName = weekdays.join('|')
const shape = new RegExp(`^(?:(${dayName})(?:-(${dayName}))? )?(\\d\\d):(\\d\\d)-(\\d\\d):(\\d\\d)$`)

const dayMinutes = 24 * 60
const minuteMillis = 60_000
const dayMillis = dayMinutes * minuteMillis

/** One entry, such as `22:00-06:00` or `mon-fri 20:00-07:30`; null when it is none. */
function sleepOf(text: string): Sleep | null {
  const match = shape.exec(text)
  if (match === null) return null
  const [, first, last = first, fromHour, fromMinute, toHour, toMinute] = match
  const from = minutesOf(fromHour, fromMinute)
  const to = minutesOf(toHour, toMinute)
  if (from === null || to === null || from === to || from === dayMinutes) return null
  return { days: daysOf(first, last), from, to: to > from ? to : to + dayMinutes }
}

function minutesOf(hour: string | undefined, minute: string | undefined): number | null {
  const minutes = Number(hour) * 60 + Number(minute)
  return Number(minute) < 60 && minutes <= dayMinutes ? minutes : null
}

/** From one day to another, over the end of the week where it lies between; without days: all. */
function daysOf(first: string | undefined, last: string | undefined): ReadonlySet<number> {
  const begin = weekdays.indexOf(first ?? '')
  const end = weekdays.indexOf(last ?? '')
  if (begin === -1) return new Set(weekdays.keys())
  return new Set(Array.from({ length: ((end - begin + 7) % 7) + 1 }, (_, nth) => (begin + nth) % 7))
}

function sleepsOf(text: string): ReadonlyArray<Sleep> | null {
  const sleeps: Array<Sleep> = []
  for (const part of text.split(',')) {
    const sleep = sleepOf(part.trim().toLowerCase())
    if (sleep === null) return null
    sleeps.push(sleep)
  }
  return sleeps
}

/** When a week without a waking minute is given up. */
const longest = 8 * dayMillis

/**
 * Whether a text is one or more times of the week, in UTC, that leave a minute awake: `22:00-06:00`, or
 * `mon-sat 00:00-24:00, sun 06:00-24:00`.
 */
export const areSleepHours = (text: string): boolean => {
  const end = asleepUntil(text, 0)
  return sleepsOf(text) !== null && (end === null || end < longest)
}

/**
 * The time in milliseconds at which a server with these sleep hours wakes; null when it is awake at `now`, also with a
 * text that is no such hours. Hours that follow each other are one sleep.
 */
export function asleepUntil(text: string, now: number): number | null {
  const sleeps = text === '' ? null : sleepsOf(text)
  if (sleeps === null) return null
  let end: number | null = null
  for (;;) {
    const next = endOf(sleeps, end ?? now)
    if (next === null) return end
    end = next
    if (end - now >= longest) return end
  }
}

/** The last end of the sleeps that a moment lies in; null: it lies in none. */
function endOf(sleeps: ReadonlyArray<Sleep>, at: number): number | null {
  const midnight = Math.floor(at / dayMillis) * dayMillis
  const ends = [midnight - dayMillis, midnight].flatMap((begin) => {
    // The first of January 1970 was a Thursday.
    const day = (Math.floor(begin / dayMillis) + 4 + 7) % 7
    return sleeps
      .filter(({ days }) => days.has(day))
      .map(({ from, to }) => ({ from: begin + from * minuteMillis, to: begin + to * minuteMillis }))
      .filter(({ from, to }) => from <= at && at < to)
      .map(({ to }) => to)
  })
  return ends.length === 0 ? null : Math.max(...ends)
}
