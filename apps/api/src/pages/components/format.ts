const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes for people: binary units, at most one decimal. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`
}

/** A time for people: `2026-05-01 02:00:00 UTC`, as it is stored. */
export function formatTime(time: string): string {
  return `${time.slice(0, 19).replace('T', ' ')} UTC`
}

/**
 * How long ago a time was, or in how long it will be: `40 s ago`, `8 h ago`, `in 3 d`. `now` is in
 * milliseconds since 1970.
 */
export function formatAge(time: string, now: number): string {
  const seconds = Math.round((now - Date.parse(time)) / 1000)
  const length = formatLength(Math.abs(seconds))
  return seconds < 0 ? `in ${length}` : `${length} ago`
}

/** Seconds in the largest unit that fits, rounded down: `40 s`, `5 min`, `47 h`, `12 d`. */
export function formatLength(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}

/** A count with thin groups of three. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', '\u202f')
}

/** How long something took, from its ends, as `formatSeconds`. */
export function formatDuration(start: string, end: string): string {
  return formatSeconds(Math.max(0, Math.round((Date.parse(end) - Date.parse(start)) / 1000)))
}

/** Seconds for people: `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A message as a sentence of its own: with a capital letter and a full stop. */
export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
