import type { Timing } from '@netbox-pbs/core'
import { Cron, Either } from 'effect'

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
 * The decision about a timing now.
 *
 * - `watch`: it is new or has changed, or its mark was set by a clock that was ahead; its time
 *   counts from now.
 * - `wait`: nothing is due before `until`; null: never.
 * - `due`: a run is due; the next one counts from `countFrom`.
 */
type ScheduleDecision =
  | { readonly _tag: 'watch' }
  | { readonly _tag: 'wait'; readonly until: number | null }
  | { readonly _tag: 'due'; readonly countFrom: number }

/**
 * Clocks of two machines may differ by so much, in milliseconds; a stored moment that is further
 * ahead was written by a clock that was wrong.
 */
export const clockSkewMillis = 5 * 60_000

/** A timing as its mark keeps it. */
export const timingText = (timing: Timing | null): string => {
  if (timing === null) return ''
  return timing.sync_schedule === '' ? `${timing.sync_interval_minutes} minutes` : timing.sync_schedule
}

/**
 * Decides about one timing. Runs that came due before `watchedSince`, the time since which this
 * worker looks without a break, were missed: they are caught up by one run after the server's own
 * delay, from which the interval then counts, so that servers stay spread. A run that starts in
 * time counts from its due time, so that intervals do not drift.
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

/**
 * The time of the next sync after `since`, in milliseconds; null: never. A cron expression, in UTC,
 * takes precedence over the interval, of which 0 is off; an invalid one, or one without a date, is
 * never due.
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

/** No run is caught up later than this after the schedule is looked at again. */
const longestDelay = 5 * 60_000

/** Nor later than this share of its interval. */
const delayShare = 0.1

/**
 * How long a run that was missed is put off, in milliseconds: the same for the same name, and
 * spread evenly over names, so that servers whose runs were missed together do not all begin at
 * once. `interval` is the time between two of its runs.
 */
export function catchUpDelay(name: string, interval: number): number {
  return Math.floor(fraction(name) * Math.min(longestDelay, delayShare * interval))
}

/**
 * Maps a text to a number from 0 to below 1: its FNV-1a hash, mixed once more because names often
 * differ only in their last letter.
 */
function fraction(text: string): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < text.length; n += 1) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
