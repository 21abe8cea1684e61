import type { Settings } from './settings.ts'

/** When the servers that follow the settings are synced. */
export type Timing = Pick<Settings, 'sync_interval_minutes' | 'sync_schedule'>

/** What a server says of its own: a blank schedule and a null interval follow the settings; an interval of 0 is never by schedule. */
export interface ServerTiming {
  readonly sync_schedule: string
  readonly sync_interval_minutes: number | null
}

/** A server that says nothing of its own. */
export const followsSettings: ServerTiming = { sync_schedule: '', sync_interval_minutes: null }

/** The timing that is a server's own; null: it goes with the others, as the settings say. As in the settings a schedule decides alone. */
export function ownTiming({ sync_schedule, sync_interval_minutes }: ServerTiming): Timing | null {
  if (sync_schedule === '' && sync_interval_minutes === null) return null
  return { sync_schedule, sync_interval_minutes: sync_interval_minutes ?? 0 }
}
