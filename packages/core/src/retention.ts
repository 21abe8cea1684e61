import type { Settings } from './settings.ts'

/** The records with a limited retention, and the setting that holds its days. */
export const retentions = [
  { what: 'changes', days: 'changelog_retention_days' },
  { what: 'runs', days: 'run_retention_days' },
  { what: 'costs', days: 'run_retention_days' },
  { what: 'tasks', days: 'task_retention_days' },
  { what: 'deliveries', days: 'delivery_retention_days' },
  { what: 'detached', days: 'changelog_retention_days' },
  { what: 'findings', days: 'changelog_retention_days' },
] as const satisfies ReadonlyArray<{ readonly what: string; readonly days: keyof Settings }>

/** Records with a limited retention. */
export type Retained = (typeof retentions)[number]['what']

const dayMillis = 86_400_000

/**
 * The time before which records with a retention of so many days are removed, in milliseconds; null
 * (0 days): never.
 */
export function removedBefore(days: number, now: number): number | null {
  return days > 0 ? now - days * dayMillis : null
}
