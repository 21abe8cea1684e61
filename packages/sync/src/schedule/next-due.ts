import type { Timing } from '@netbox-pbs/core'
import { Cron, Either } from 'effect'

/**
 * When the next sync is due after `since`, in milliseconds; null: never. A cron expression, in UTC, decides alone; else the
 * interval, of which 0 is off. An expression that is none, or names a day that never comes, is never due.
 */
export function nextDue({ sync_schedule, sync_interval_minutes }: Timing, since: number): number | null {
  if (sync_schedule !== '') return nextByCron(sync_schedule, since)
  return sync_interval_minutes > 0 ? since + sync_interval_minutes * 60_000 : null
}

/** Whether a text is a cron expression that comes due at all, as the schedule reads it. */
export const isCron = (text: string): boolean => nextByCron(text, 0) !== null

function nextByCron(text: string, since: number): number | null {
  const cron = Cron.parse(text, 'UTC')
  if (Either.isLeft(cron)) return null
  try {
    return Cron.next(cron.right, new Date(since)).getTime()
  } catch {
    // Thrown for a day like February 30.
    return null
  }
}
