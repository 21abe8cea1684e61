import { type Conflict, type Merged, type Resolution, type Resolved, resolve } from '@netbox-pbs/core'
import type { ConflictIndex } from './conflict-rows.ts'
import { judgeEntry } from './judge-entry.ts'
import type { Entry } from './read-entries.ts'

/** The result of an entry with its reviewers' answers applied. */
export interface ResolvedEntry {
  readonly entry: Entry
  readonly merged: Merged
  readonly resolved: Resolved
}

/** Merges an entry with main and applies the answers to its conflicts. */
export function resolveEntry(entry: Entry, index: ConflictIndex): ResolvedEntry {
  return answered(entry, judgeEntry(entry), index)
}

/** The same, with one more conflict. */
export const resolveEntryWith = (
  { entry, merged }: ResolvedEntry,
  conflict: Conflict,
  index: ConflictIndex,
): ResolvedEntry => answered(entry, { ...merged, conflicts: [...merged.conflicts, conflict] }, index)

/** The answer to a conflict of an entry, if it has one and none of its values has changed. */
export const answerOf = (entry: Entry, conflict: Conflict, index: ConflictIndex): Resolution | null =>
  index.same({ ...conflict, objectId: entry.id, scopeKey: '' })?.resolution ?? null

function answered(entry: Entry, merged: Merged, index: ConflictIndex): ResolvedEntry {
  const resolved = resolve(entry.sides, merged, (conflict) => answerOf(entry, conflict, index))
  return { entry, merged, resolved }
}
