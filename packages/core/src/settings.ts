import { z } from 'zod'
import { GatewayUrl } from './gateway-url.ts'

/** Text that a database stores as it is. */
const text = z
  .string()
  .refine((given) => !given.includes('\0'), 'Null characters are not allowed.')
  .refine((given) => given.isWellFormed(), 'Surrogate characters are not allowed.')

/** The settings of the whole system. `proxbox_api_key` is write-only and never part of them. */
export const Settings = z.strictObject({
  proxbox_api_url: GatewayUrl,
  branching_enabled: z.boolean(),
  branch_name_prefix: text.min(1).max(64),
  branch_on_conflict: z.enum(['abort', 'overwrite']),
  /** A branch lands only after a user other than its author has approved it. */
  branch_approval_required: z.boolean(),
  /** Cron in UTC; empty: the interval decides. */
  sync_schedule: text.max(255),
  /** Minutes; 0 is off. */
  sync_interval_minutes: z.int().min(0).max(525_600),
  guard_max_share: z.number().min(0).max(1),
  guard_min_rows: z.int().min(0).max(1_000_000_000),
  changelog_retention_days: z.int().min(0).max(36_500),
  run_retention_days: z.int().min(0).max(36_500),
  task_retention_days: z.int().min(0).max(36_500),
})
/** The settings as stored, without the key. */
export type Settings = z.infer<typeof Settings>

/** The settings of a new system. */
export const defaultSettings: Settings = {
  proxbox_api_url: '',
  branching_enabled: false,
  branch_name_prefix: 'pbs-sync',
  branch_on_conflict: 'abort',
  branch_approval_required: false,
  sync_schedule: '',
  sync_interval_minutes: 60,
  guard_max_share: 0.3,
  guard_min_rows: 50,
  changelog_retention_days: 90,
  run_retention_days: 90,
  task_retention_days: 90,
}

/** When the servers that follow the settings are synced. */
export type Timing = Pick<Settings, 'sync_interval_minutes' | 'sync_schedule'>

/**
 * A server's own timing. A blank schedule and a null interval follow the settings; an interval of 0
 * turns the schedule off.
 */
export interface ServerTiming {
  readonly sync_schedule: string
  readonly sync_interval_minutes: number | null
}

/** A server without a timing of its own. */
export const followsSettings: ServerTiming = { sync_schedule: '', sync_interval_minutes: null }

/**
 * The server's own timing; null: it follows the settings. A schedule takes precedence over an
 * interval, as in the settings.
 */
export function ownTiming({ sync_schedule, sync_interval_minutes }: ServerTiming): Timing | null {
  if (sync_schedule === '' && sync_interval_minutes === null) return null
  return { sync_schedule, sync_interval_minutes: sync_interval_minutes ?? 0 }
}
