const int8 = 20
const timestamptz = 1184

/** Readers of column text by type id, the same for both engines: `bigint` as a number, `timestamptz` as RFC 3339 text. Other types keep the driver's own. */
export const typeParsers: Readonly<Record<number, (text: string) => unknown>> = {
  [int8]: parseInt8,
  [timestamptz]: parseTimestamp,
}

/** Ids, byte counts and counters: the schema keeps them within 2^53-1. */
function parseInt8(text: string): number {
  return Number(text)
}

const timestampText = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-]\d\d)(?::?(\d\d))?$/

/**
 * `2026-05-01 02:00:00.5+00` as `2026-05-01T02:00:00.500000Z`: no Date in between, which would lose microseconds. Years outside 1 to 9999
 * and the infinities stay as PostgreSQL writes them.
 */
export function parseTimestamp(text: string): string {
  const match = timestampText.exec(text)
  if (match === null) return text
  const [, year, month, day, hour, minute, second, fraction = '', offsetHours = '+00', offsetMinutes = '00'] = match
  const micros = fraction.padEnd(6, '0')
  const tail = micros === '000000' ? 'Z' : `.${micros}Z`
  if (offsetHours === '+00' && offsetMinutes === '00')
    return `${year}-${month}-${day}T${hour}:${minute}:${second}${tail}`
  const offset = `${offsetHours}:${offsetMinutes}`
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`).toISOString().slice(0, 19) + tail
}
