import type { Settings } from './settings.ts'

/** What is kept for some days only, with the setting that says for how many. */
export const retentions = [
  { what: 'changes', days: 'changelog_retention_days' },
  { what: 'runs', days: 'run_retention_days' },
  { what: 'tasks', days: 'task_retention_days' },
] as const satisfies ReadonlyArray<{ readonly what: string; readonly days: keyof Settings }>

/** What is kept for some days only. */
export type Retained = (typeof retentions)[number]['what']

const dayMillis = 86_400_000

/**
 * The moment before which a thing that is kept for so many days is removed, in milliseconds; null:
 * it is kept for ever, which is what 0 days say.
 */
export function removedBefore(days: number, now: number): number | null {
  return days > 0 ? now - days * dayMillis : null
}
