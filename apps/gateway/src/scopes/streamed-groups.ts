import type { ListRow, PbsGroup, PbsSnapshot, UnreadableRow } from '@netbox-pbs/pbs-client'
import { isReadable } from '@netbox-pbs/pbs-client'
import { Either } from 'effect'
import { groupKey } from './group-frame.ts'

/** The rows of one group, the unreadable ones apart. */
export interface GroupRows {
  readonly rows: ReadonlyArray<PbsSnapshot>
  readonly unreadable: ReadonlyArray<UnreadableRow>
}

/** A group whose rows have all come. */
export interface ClosedGroup extends GroupRows {
  readonly group: PbsGroup
}

/** Groups that contradict PBS's order, which lists a namespace group by group. */
export interface OutOfOrder {
  readonly key: string
}

interface OpenGroup {
  readonly key: string | null
  readonly rows: Array<PbsSnapshot>
  readonly unreadable: Array<UnreadableRow>
}

/**
 * The groups of one list of snapshots while it is read, one group's rows at a time; a group is
 * closed when the next one begins. A group that is incomplete then, came in pieces or did not come
 * is read by itself later.
 */
export class StreamedGroups {
  readonly #left: Map<string, PbsGroup>
  readonly #closed = new Set<string>()
  readonly #unknown = new Set<string>()
  readonly #isWhole: (group: PbsGroup, rows: GroupRows) => boolean
  #open: OpenGroup | null = null

  /** @param groups - As they were listed before. */
  constructor(groups: ReadonlyArray<PbsGroup>, isWhole: (group: PbsGroup, rows: GroupRows) => boolean) {
    this.#left = new Map(groups.map((group) => [groupKey(group), group]))
    this.#isWhole = isWhole
  }

  /** Takes the next rows of the list, and gives the groups that they close. */
  take(rows: Iterable<ListRow<PbsSnapshot>>): Either.Either<ReadonlyArray<ClosedGroup>, OutOfOrder> {
    const closed: Array<ClosedGroup> = []
    for (const row of rows) {
      const key = isReadable(row) ? groupKey(row) : groupKeyOf(row)
      // A row that names no group is one of a group that will be short.
      if (key === null) continue
      if (this.#closed.has(key)) return Either.left({ key })
      if (this.#open?.key !== key) closed.push(...this.#begin(key))
      this.#hold(row)
    }
    return Either.right(closed)
  }

  /** Ends the list, and gives the group that was open. */
  end(): ReadonlyArray<ClosedGroup> {
    return this.#begin(null)
  }

  /** Forgets the group that is open: the list ended within it. */
  cut(): void {
    this.#open = null
  }

  /** How many groups are closed. */
  get closed(): number {
    return this.#closed.size
  }

  /** Groups that are left to be read by themselves. */
  get left(): ReadonlyArray<PbsGroup> {
    return [...this.#left.values()]
  }

  /** Keys of groups that the list has and that were not listed before. */
  get unknown(): ReadonlyArray<string> {
    return [...this.#unknown]
  }

  #begin(key: string | null): ReadonlyArray<ClosedGroup> {
    const open = this.#open
    this.#open = key === null ? null : { key, rows: [], unreadable: [] }
    if (open === null || open.key === null) return []
    const group = this.#left.get(open.key)
    if (group === undefined) this.#unknown.add(open.key)
    if (group === undefined || !this.#isWhole(group, open)) return []
    this.#left.delete(open.key)
    this.#closed.add(open.key)
    return [{ group, rows: open.rows, unreadable: open.unreadable }]
  }

  #hold(row: ListRow<PbsSnapshot>): void {
    const open = this.#open
    if (open === null || open.key === null) return
    const counted = this.#left.get(open.key)?.['backup-count'] ?? 0
    // A group that is far longer than its count is not held: it is read by itself, within limits.
    if (open.rows.length + open.unreadable.length > 2 * counted + 1000) return
    if (isReadable(row)) open.rows.push(row)
    else open.unreadable.push(row)
  }
}

/** The group that an unreadable row names; null when it names none. */
export const groupKeyOf = ({ value }: UnreadableRow): string | null => {
  const { 'backup-type': type, 'backup-id': id } = Object(value)
  return typeof type === 'string' && typeof id === 'string' ? groupKey({ 'backup-type': type, 'backup-id': id }) : null
}
