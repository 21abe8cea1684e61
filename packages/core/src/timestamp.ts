/**
 * Milliseconds since 1970 as RFC 3339 in UTC, with a fraction only when it is not zero:
 * `2026-05-01T02:00:00Z`, `2026-05-01T02:00:00.250000Z`. Throws a RangeError for a number that no
 * Date holds.
 */
export function formatTimestamp(millis: number): string {
  const iso = new Date(millis).toISOString()
  return iso.endsWith('.000Z') ? `${iso.slice(0, -5)}Z` : withFraction(iso.slice(0, -5), iso.slice(-4, -1))
}

/** The day in UTC of milliseconds since 1970, like `2026-05-01`. */
export const formatDay = (millis: number): string => formatTimestamp(millis).slice(0, 10)

/**
 * Joins whole seconds (`2026-05-01T02:00:00`, UTC) and the digits of their fraction, of which
 * microseconds are kept.
 */
export function withFraction(seconds: string, digits: string): string {
  const micros = digits.padEnd(6, '0').slice(0, 6)
  return micros === '000000' ? `${seconds}Z` : `${seconds}.${micros}Z`
}

const shape =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(?:([Zz])|([+-])(\d{2}):?(\d{2})?)?)?$/

/**
 * Converts a timestamp as people and clients write it to RFC 3339 in UTC, with microseconds only when
 * not zero; null when it is invalid.
 * Takes a date alone (its midnight), a blank for the `T`, and offsets; a time without an offset is read as UTC.
 */
export function parseTimestamp(text: string): string | null {
  const match = shape.exec(text.trim())
  if (match === null) return null
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    ,
    sign,
    offsetHours,
    offsetMinutes,
  ] = match
  const wall = wallClock([year, month, day, hour, minute, second].map(Number))
  const offset = sign === undefined ? 0 : Number(offsetHours) * 60 + Number(offsetMinutes ?? 0)
  if (wall === null || offset >= 24 * 60) return null
  const utc = new Date(wall - (sign === '-' ? -offset : offset) * 60_000)
  if (utc.getUTCFullYear() < 1 || utc.getUTCFullYear() > 9999) return null
  return withFraction(utc.toISOString().slice(0, 19), fraction)
}

/** Milliseconds of a wall clock read as UTC; null when the calendar or the clock has no such reading. */
function wallClock(parts: ReadonlyArray<number>): number | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  if (hour > 23 || minute > 59 || second > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  return year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : null
}
