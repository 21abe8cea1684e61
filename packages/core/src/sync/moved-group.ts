import type { AttachedValues } from '../definitions/attached.ts'

/** Where a group lies within its server. */
export interface GroupPlace {
  readonly datastore_name: string
  /** Empty: the root namespace. */
  readonly namespace: string
}

/** What main knows of a group when it looks for one that moved. Times are whole numbers of one unit. */
export interface GroupTimes {
  /** When main first had the group. */
  readonly created: number
  /** Its backup times; of a group that is gone, those that it had to the end. */
  readonly times: ReadonlyArray<number>
}

/**
 * The group into which a group that left its place has moved, among the groups of the same server
 * with its type and id that are listed elsewhere; null: none of them.
 *
 * It arrived after the other was known, has at least one of its backup times, and of all backups
 * that it has from the other's time at least half are the other's. The source may have pruned
 * backups since, added newer ones, or not moved all of them yet; two machines of one id may share a
 * time by chance. Of several the last to arrive is taken, then the one with the most times in common.
 */
export function destinationOf<Found extends GroupTimes>(left: GroupTimes, found: ReadonlyArray<Found>): Found | null {
  const had = new Set(left.times)
  const first = left.times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const last = left.times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const matches = found.flatMap((group) => {
    const common = group.times.filter((time) => had.has(time)).length
    const then = group.times.filter((time) => time >= first && time <= last).length
    return group.created > left.created && common > 0 && 2 * common >= then ? [{ group, common }] : []
  })
  const [best] = matches.toSorted((a, b) => b.group.created - a.group.created || b.common - a.common)
  return best?.group ?? null
}

/** The values of a row that takes over those of a moved one: tags of both, and its own custom fields first. */
export function takenOver(own: AttachedValues, moved: AttachedValues): AttachedValues {
  const set = Object.entries(own.custom_fields).filter(([, value]) => value !== null)
  return {
    tags: [...own.tags, ...moved.tags.filter((tag) => !own.tags.includes(tag))],
    custom_fields: { ...own.custom_fields, ...moved.custom_fields, ...Object.fromEntries(set) },
  }
}

/** The message of the change log about a row that took over tags and custom fields. */
export const movedMessage = (from: GroupPlace, to: GroupPlace): string =>
  `The group moved from ${placeInWords(from)} to ${placeInWords(to)}. Its tags and custom fields came along.`

const placeInWords = ({ datastore_name, namespace }: GroupPlace): string =>
  namespace === ''
    ? `the root namespace of datastore ${datastore_name}`
    : `namespace ${namespace} of datastore ${datastore_name}`
