/** What is known of a group whose protection is asked for. Times are seconds since 1970. */
export interface ProtectionFacts {
  /** How old its newest backup may be, in seconds; null: it is not watched. */
  readonly age: number | null
  /** Whether its source lists it. A group that is expected and was never listed has no backups either. */
  readonly listed: boolean
  /** Its finished backups, newest first. A time in the future is no backup. */
  readonly backups: ReadonlyArray<FinishedBackup>
  /** The time of its oldest unfinished snapshot; null: it has none. */
  readonly unfinishedSince: number | null
  /** Whether a task runs that backs it up now. */
  readonly running: boolean
  /** When its list was last read completely; null: never. */
  readonly readAt: number | null
  /** Since when its datastore cannot be read, by maintenance or because it is not mounted; null: it can. */
  readonly offSince: number | null
}

export interface FinishedBackup {
  readonly time: number
  /** The verification of this copy, where it lies. */
  readonly verification: 'ok' | 'failed' | 'none'
  /** When it was verified; null: it was not, or this is not known. */
  readonly verifiedAt: number | null
}

/** How a group is protected, and since when. */
export interface Protection {
  /**
   * The worst that holds, from the top:
   *
   * | state | meaning | since |
   * | --- | --- | --- |
   * | not_watched | it was read, and no objective applies to it | |
   * | missing | its source does not list it, or it has no snapshot at all | its objective ended, if it has |
   * | at_risk | its newest backup failed its verification here, or it has unfinished snapshots only and none runs | the verification, or the oldest unfinished snapshot |
   * | unknown | its objective has ended, or may have, and its list was not read completely since, or never, or its datastore is off | its objective ended, or the datastore was off |
   * | late | its objective has ended, and its list was read since | its objective ended |
   * | protected | a finished backup is younger than its objective | |
   */
  readonly state: 'missing' | 'at_risk' | 'late' | 'unknown' | 'protected' | 'not_watched'
  readonly since: number | null
  /** Until when its newest backup is young enough; null: it has none, or it is not watched. */
  readonly freshUntil: number | null
}

/** How far the clock of a server may be ahead without its backups being in the future, in seconds. */
export const clockTolerance = 60

/**
 * What a group stands at by its snapshots and its objective alone: everything about its protection
 * that neither the clock changes nor a list in which nothing is new. The store keeps it.
 */
export interface GroupStanding {
  /**
   * - `not_watched`: no objective applies to it.
   * - `missing`: its source does not list it, or it has no snapshot.
   * - `incomplete`: it has unfinished snapshots only.
   * - `failed`: the verification of its newest backup failed.
   * - `dated`: its newest backup counts until its objective ends.
   */
  readonly standing: 'not_watched' | 'missing' | 'incomplete' | 'failed' | 'dated'
  /** The oldest unfinished snapshot of an incomplete group, the verification of a failed one. */
  readonly standingSince: number | null
  readonly freshUntil: number | null
  /** When a backup that is in the future now becomes the newest one; null: there is none. */
  readonly judgeAgainAt: number | null
}

/** What changes without the group: the clock, the reading of its list, its datastore, tasks, nodes. */
export interface Surroundings {
  readonly readAt: number | null
  readonly offSince: number | null
  readonly running: boolean
}

/** What a group stands at, from its snapshots as they are at a time in seconds since 1970. */
export function standingOf(
  { age, listed, backups, unfinishedSince }: Omit<ProtectionFacts, 'readAt' | 'offSince' | 'running'>,
  now: number,
): GroupStanding {
  const none = { standingSince: null, freshUntil: null, judgeAgainAt: null }
  if (age === null) return { ...none, standing: 'not_watched' }
  const isPast = ({ time }: FinishedBackup) => time <= now + clockTolerance
  const newest = backups.find(isPast)
  const next = backups.findLast((backup) => !isPast(backup))
  const freshUntil = newest === undefined ? null : newest.time + age
  const judgeAgainAt = next === undefined ? null : next.time - clockTolerance
  const is = (standing: GroupStanding['standing'], standingSince: number | null = null): GroupStanding => ({
    ...{ standing, standingSince, freshUntil, judgeAgainAt },
  })
  if (!listed) return is('missing')
  if (newest?.verification === 'failed') return is('failed', newest.verifiedAt)
  if (newest !== undefined) return is('dated')
  return unfinishedSince === null ? is('missing') : is('incomplete', unfinishedSince)
}

/** The protection at a time before `judgeAgainAt`; `standingOf` is asked again then. */
export function protectionAt(
  { standing, standingSince, freshUntil }: GroupStanding,
  { readAt, offSince, running }: Surroundings,
  now: number,
): Protection {
  const is = (state: Protection['state'], since: number | null): Protection => ({ state, since, freshUntil })
  if (readAt === null) return is('unknown', null)
  if (standing === 'not_watched') return is('not_watched', null)
  if (standing === 'failed') return is('at_risk', standingSince)
  if (standing === 'incomplete') return is(running ? 'unknown' : 'at_risk', standingSince)
  if (standing === 'missing' && offSince !== null) return is('unknown', offSince)
  if (standing === 'missing') return is('missing', freshUntil !== null && freshUntil <= now ? freshUntil : null)
  if (freshUntil !== null && freshUntil > now) return is('protected', null)
  if (offSince !== null) return is('unknown', Math.max(offSince, freshUntil ?? offSince))
  return is(freshUntil !== null && readAt >= freshUntil ? 'late' : 'unknown', freshUntil)
}

/** The protection of a group at a time in seconds since 1970. */
export const protectionOf = (facts: ProtectionFacts, now: number): Protection =>
  protectionAt(standingOf(facts, now), facts, now)
