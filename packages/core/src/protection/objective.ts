import { fitsGlob } from './glob.ts'

/** The group whose objective is asked for. */
export interface ObjectiveSubject {
  readonly server: string
  readonly datastore: string
  readonly namespace: string
  readonly type: string
  readonly id: string
  /** The slugs of its tags. */
  readonly tags: ReadonlyArray<string>
}

/** A rule about how old the newest backup of some groups may be. */
export interface ObjectiveRule {
  readonly id: number
  /** Patterns of the fields, in which `*` is any text and `?` a character. A field left out, or null, fits any value. */
  readonly server?: string | null
  readonly datastore?: string | null
  readonly namespace?: string | null
  readonly type?: string | null
  readonly backup_id?: string | null
  /** The slug of a tag that the group must have. */
  readonly tag?: string | null
  /** How old the newest backup may be, in hours; null: the groups are not watched. */
  readonly hours: number | null
}

/** How old the newest backup of a group may be. */
export interface Objective {
  /** Seconds; null: the group is not watched. */
  readonly age: number | null
  /** The rule that says so; null: the group's own rhythm. */
  readonly rule: number | null
  /** Whether the rhythm is known: three backups or more. Always true with a rule. */
  readonly known: boolean
}

const hour = 3600
const day = 24 * hour

/** The shortest and the longest age that a rhythm asks for, in seconds. */
const shortest = 26 * hour
const longest = 8 * day

/** How many intervals between backups make the rhythm. */
const intervals = 14

/** How much later than usual a backup may come. */
const patience = 1.5

/**
 * The objective of a group: that of the first rule that fits; without one 1.5 times the median of the
 * last 14 intervals between its backups, from 26 hours to 8 days; of fewer than three backups 26
 * hours. `backups` are the times of its finished backups in seconds since 1970, newest first.
 */
export function objectiveOf(
  subject: ObjectiveSubject,
  rules: ReadonlyArray<ObjectiveRule>,
  backups: ReadonlyArray<number>,
): Objective {
  const rule = rules.find((one) => fitsRule(one, subject))
  if (rule !== undefined) return { age: rule.hours === null ? null : rule.hours * hour, rule: rule.id, known: true }
  const rhythm = rhythmOf(backups)
  const age = rhythm === null ? shortest : Math.min(longest, Math.max(shortest, Math.round(rhythm * patience)))
  return { age, rule: null, known: rhythm !== null }
}

/** The median of the last intervals between backups, in seconds; null of fewer than three backups. */
export function rhythmOf(backups: ReadonlyArray<number>): number | null {
  if (backups.length < 3) return null
  const latest = backups.slice(0, intervals + 1)
  return median(latest.slice(1).map((time, nth) => (latest[nth] ?? time) - time))
}

/** The middle of some numbers, or the mean of the two in the middle. There must be one. */
function median(numbers: ReadonlyArray<number>): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

const fitsRule = (rule: ObjectiveRule, subject: ObjectiveSubject): boolean =>
  fits(rule.server, subject.server) &&
  fits(rule.datastore, subject.datastore) &&
  fits(rule.namespace, subject.namespace) &&
  fits(rule.type, subject.type) &&
  fits(rule.backup_id, subject.id) &&
  (rule.tag === undefined || rule.tag === null || subject.tags.includes(rule.tag))

const fits = (pattern: string | null | undefined, text: string): boolean =>
  pattern === undefined || pattern === null || fitsGlob(pattern, text)
