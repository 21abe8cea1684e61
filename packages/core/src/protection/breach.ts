/** What was known of the objective of a group until now. Times are seconds since 1970. */
export interface KnownObjective {
  /** Seconds; null: it was not watched. */
  readonly age: number | null
  readonly freshUntil: number | null
  /** When the breach began that goes on; null: none does. */
  readonly openSince: number | null
}

/** A time in which the newest backup of a group was older than its objective; `end` null: it goes on. */
export interface BreachTime {
  readonly begin: number
  readonly end: number
}

/** What a new look at a group tells of its breaches. */
export interface BreachChanges {
  /** When the breach that went on ended; null: it goes on, or none did. */
  readonly ended: number | null
  /** Breaches that began and ended since the last look. */
  readonly passed: ReadonlyArray<BreachTime>
}

/**
 * The breaches of a group between two looks: each time from the end of its objective to the next
 * backup. A breach ends too when the group is watched no more, or its objective became longer.
 * `backups` are the times of its finished backups, newest first; `age` is its objective now.
 */
export function breachChanges(
  before: KnownObjective,
  { age, backups }: { readonly age: number | null; readonly backups: ReadonlyArray<number> },
  now: number,
): BreachChanges {
  const { freshUntil, openSince } = before
  if (before.age === null || freshUntil === null) return { ended: openSince === null ? null : now, passed: [] }
  const last = freshUntil - before.age
  const since = backups.filter((time) => time > last).toReversed()
  const [first, ...others] = since
  const passed: Array<BreachTime> = []
  const add = (begin: number, end: number) => {
    if (end > begin) passed.push({ begin, end })
  }
  if (first !== undefined && openSince === null) add(freshUntil, first)
  if (age !== null) for (const [nth, time] of others.entries()) add((since[nth] ?? time) + age, time)
  if (openSince === null) return { ended: null, passed }
  if (first !== undefined) return { ended: Math.max(openSince, first), passed }
  const [newest] = backups
  const isOver = age === null || (newest !== undefined && newest + age > now)
  return { ended: isOver ? now : null, passed }
}
