import { Clock, Effect } from 'effect'

/** A moment as the ports write it: RFC 3339 in UTC, with a fraction only when it is not zero. */
export function formatTimestamp(millis: number): string {
  const iso = new Date(millis).toISOString()
  const fraction = iso.slice(20, 23)
  return `${iso.slice(0, 19)}${fraction === '000' ? '' : `.${fraction}000`}Z`
}

/** The present moment, of the clock that Effect provides. */
export const now: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, formatTimestamp)
