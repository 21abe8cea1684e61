/**
 * A zone of the IANA database, as a PBS names its own. Wall times are written as seconds since
 * 1970-01-01 00:00:00 on the clock of the zone.
 */
export interface TimeZone {
  readonly name: string
  /** The wall time at a time in seconds since 1970. */
  readonly wallTime: (time: number) => number
  /**
   * The time of a wall time, in seconds since 1970. Null when the clock jumps over it in spring; the later one when the
   * clock shows it twice in autumn.
   */
  readonly timeOf: (wallTime: number) => number | null
}

/** Coordinated universal time. */
export const utc: TimeZone = { name: 'UTC', wallTime: (time) => time, timeOf: (wallTime) => wallTime }

const day = 86_400

/** The zone of a name, such as `Europe/Vienna`; null when no such zone is known here. */
export function timeZone(name: string): TimeZone | null {
  if (name === utc.name) return utc
  const wallTime = wallClock(name)
  if (wallTime === null) return null
  const offset = (time: number) => wallTime(time) - time
  return {
    name,
    wallTime,
    timeOf: (wall) => {
      // A zone changes its offset at most once within two days.
      const after = wall - offset(wall + day)
      if (wallTime(after) === wall) return after
      const before = wall - offset(wall - day)
      return wallTime(before) === wall ? before : null
    },
  }
}

function wallClock(name: string): TimeZone['wallTime'] | null {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
  return (time) => {
    const at: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of format.formatToParts(time * 1000)) at[type] = Number(value)
    const { year = 0, month = 1, day: date = 1, hour = 0, minute = 0, second = 0 } = at
    return Date.UTC(year, month - 1, date, hour, minute, second) / 1000
  }
}
