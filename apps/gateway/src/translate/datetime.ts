import { formatTimestamp } from '@netbox-pbs/core'

/** The last second that RFC 3339 can write: years have four digits. */
const lastSecond = 253_402_300_799

/** Epoch seconds as RFC 3339 in UTC; null for 0, for what is not there and for what no calendar has. */
export const datetimeOf = (epochSeconds: number | null | undefined): string | null =>
  epochSeconds === null || epochSeconds === undefined || epochSeconds <= 0 || epochSeconds > lastSecond
    ? null
    : formatTimestamp(Math.floor(epochSeconds) * 1000)
