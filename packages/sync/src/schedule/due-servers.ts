import type { Timing } from '@netbox-pbs/core'
import { catchUpDelay } from './catch-up.ts'
import { nextDue } from './next-due.ts'

/** A timing, and how far it has been kept. Moments are in milliseconds. */
export interface ScheduleEntry {
  /** Whose timing it is; blank for the settings' own. */
  readonly name: string
  /** Null: a server's that follows the settings again. */
  readonly timing: Timing | null
  /** Null: it was never looked at. */
  readonly mark: { readonly timing: string; readonly countedFrom: number } | null
}

/**
 * What to do about a timing now.
 *
 * - `watch`: it is new or another than was kept, or its mark was set by a clock that was ahead; its time counts from now.
 * - `wait`: nothing is due before `until`; null: never.
 * - `due`: a run is due; the next one counts from `countFrom`.
 */
export type ScheduleDecision =
  | { readonly _tag: 'watch' }
  | { readonly _tag: 'wait'; readonly until: number | null }
  | { readonly _tag: 'due'; readonly countFrom: number }

/** Clocks of two machines may differ by so much, in milliseconds; a stored moment that is further ahead was written by a clock that was wrong. */
export const clockSkewMillis = 5 * 60_000

/** A timing as its mark keeps it. */
export const timingText = (timing: Timing | null): string => {
  if (timing === null) return ''
  return timing.sync_schedule === '' ? `${timing.sync_interval_minutes} minutes` : timing.sync_schedule
}

/**
 * Decides about one timing. A run that came due before `watchedSince`, the moment since which this worker has looked without a break, was missed: it is caught up
 * once, however many were missed, after a delay that is the server's own. Then its interval counts from that run, so that those that were spread stay so; a run that is
 * started in time counts from when it was due, so that intervals do not drift.
 */
export function decide(
  { name, timing, mark }: ScheduleEntry,
  { now, watchedSince }: { readonly now: number; readonly watchedSince: number },
): ScheduleDecision {
  if (mark === null || mark.timing !== timingText(timing)) return { _tag: 'watch' }
  // Counted from a moment to come, nothing would be due before it.
  if (mark.countedFrom > now + clockSkewMillis) return { _tag: 'watch' }
  const due = timing === null ? null : nextDue(timing, mark.countedFrom)
  if (timing === null || due === null) return { _tag: 'wait', until: null }
  const following = nextDue(timing, due) ?? due
  const since = Math.min(watchedSince, now)
  const missed = due < since
  // The settings' schedule starts a single run whose jobs are queued, so it needs no delay.
  const until = missed ? since + (name === '' ? 0 : catchUpDelay(name, following - due)) : due
  if (now < until) return { _tag: 'wait', until }
  return { _tag: 'due', countFrom: missed || following <= now ? now : due }
}
