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
   * | not_watched | no objective applies to it | |
   * | missing | its source does not list it, or it has no snapshot at all | its objective ended |
   * | at_risk | its newest backup failed its verification here, or it has unfinished snapshots only and none runs | the verification, or the oldest unfinished snapshot |
   * | unknown | its objective has ended, or may have, and its list was not read completely since, or its datastore is off | its objective ended, or the datastore was off |
   * | late | its objective has ended, and its list was read since | its objective ended |
   * | protected | a finished backup is younger than its objective | |
   */
  readonly state: 'missing' | 'at_risk' | 'late' | 'unknown' | 'protected' | 'not_watched'
  readonly since: number | null
  /** Until when its newest backup is young enough; null: it has none, or it is not watched. */
  readonly freshUntil: number | null
}

/** How far the clock of a server may be ahead without its backups being in the future, in seconds. */
const clockTolerance = 60

/** The protection of a group at a time in seconds since 1970. */
export function protectionOf(facts: ProtectionFacts, now: number): Protection {
  const { age, backups, unfinishedSince, running, readAt, offSince } = facts
  if (age === null) return { state: 'not_watched', since: null, freshUntil: null }
  const newest = backups.find(({ time }) => time <= now + clockTolerance)
  const freshUntil = newest === undefined ? null : newest.time + age
  const is = (state: Protection['state'], since: number | null): Protection => ({ state, since, freshUntil })
  if (readAt === null) return is('unknown', null)
  if (!facts.listed) return offSince === null ? is('missing', freshUntil) : is('unknown', offSince)
  if (newest?.verification === 'failed') return is('at_risk', newest.verifiedAt)
  if (newest === undefined && unfinishedSince !== null && !running) return is('at_risk', unfinishedSince)
  if (newest === undefined && unfinishedSince !== null) return is('unknown', unfinishedSince)
  if (freshUntil === null) return offSince === null ? is('missing', null) : is('unknown', offSince)
  if (freshUntil > now) return is('protected', null)
  if (offSince !== null) return is('unknown', Math.max(offSince, freshUntil))
  return is(readAt >= freshUntil ? 'late' : 'unknown', freshUntil)
}
