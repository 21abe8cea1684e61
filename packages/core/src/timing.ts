import type { Settings } from './settings.ts'

/** When the servers that follow the settings are synced. */
export type Timing = Pick<Settings, 'sync_interval_minutes' | 'sync_schedule'>

/**
 * A server's own timing. A blank schedule and a null interval follow the settings; an interval of 0
 * turns the schedule off.
 */
export interface ServerTiming {
  readonly sync_schedule: string
  readonly sync_interval_minutes: number | null
  /** When it is down on purpose, see `asleepUntil`; empty: never. */
  readonly sleep_hours: string
}

/** A server without a timing of its own. */
export const followsSettings: ServerTiming = { sync_schedule: '', sync_interval_minutes: null, sleep_hours: '' }

/**
 * The server's own timing; null: it follows the settings. A schedule takes precedence over an
 * interval, as in the settings.
 */
export function ownTiming({ sync_schedule, sync_interval_minutes }: Omit<ServerTiming, 'sleep_hours'>): Timing | null {
  if (sync_schedule === '' && sync_interval_minutes === null) return null
  return { sync_schedule, sync_interval_minutes: sync_interval_minutes ?? 0 }
}
