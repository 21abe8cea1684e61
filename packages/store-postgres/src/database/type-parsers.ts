import { parseTimestamp, withFraction } from '@netbox-pbs/core'

const int8 = 20
const timestamptz = 1184

/**
 * Readers of column text by type id, the same for both engines: `bigint` as a number, `timestamptz`
 * as RFC 3339 text. Other types keep the driver's own.
 */
export const typeParsers: Readonly<Record<number, (text: string) => unknown>> = {
  [int8]: parseInt8,
  [timestamptz]: parseTimestamptz,
}

/** Ids, byte counts and counters: the schema keeps them within 2^53-1. */
function parseInt8(text: string): number {
  return Number(text)
}

const inUtc = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00(?::?00)?$/

/**
 * `2026-05-01 02:00:00.5+00` as `2026-05-01T02:00:00.500000Z`: microseconds are kept. Years outside
 * 1 to 9999 and the infinities stay as PostgreSQL writes them.
 */
export function parseTimestamptz(text: string): string {
  // Most times have no fraction.
  if (text.length === 22 && text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, 19)}Z`
  const match = inUtc.exec(text)
  if (match === null) return parseTimestamp(text) ?? text
  const [, date, time, fraction = ''] = match
  return withFraction(`${date}T${time}`, fraction)
}
