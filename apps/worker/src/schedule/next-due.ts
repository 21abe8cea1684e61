import type { Settings } from '@netbox-pbs/core'
import { Cron, Either } from 'effect'

/** The part of the settings that decides when a sync is due. */
export type Timing = Pick<Settings, 'sync_interval_minutes' | 'sync_schedule'>

/**
 * When the next sync is due after `since`, in milliseconds; null: never. A cron expression, in UTC, decides alone; else the
 * interval, of which 0 is off. An expression that is none is never due.
 */
export function nextDue({ sync_schedule, sync_interval_minutes }: Timing, since: number): number | null {
  if (sync_schedule !== '') {
    const cron = Cron.parse(sync_schedule, 'UTC')
    return Either.isRight(cron) ? Cron.next(cron.right, new Date(since)).getTime() : null
  }
  return sync_interval_minutes > 0 ? since + sync_interval_minutes * 60_000 : null
}
