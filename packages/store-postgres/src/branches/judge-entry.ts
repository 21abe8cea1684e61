import {
  type Conflict,
  type ConflictKind,
  type FieldValue,
  type Merged,
  mergeObject,
  type Resolution,
  type Resolved,
  resolve,
  type Scope,
  scopeOf,
  scopeResourceOf,
} from '@netbox-pbs/core'
import { placeKey, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import type { ConflictIndex } from './conflict-rows.ts'
import type { Entry } from './read-entries.ts'

/**
 * Merges an entry with main. A creation under a missing server is a missing reference; rows that
 * main has gained under a deleted server are a conflict.
 */
export function judgeEntry(entry: Entry): Merged {
  const merged = mergeObject(entry.sides)
  if (refersToNothing(entry, merged)) return { write: { _tag: 'none' }, conflicts: [ofWhole('missing_reference')] }
  const { gained, sides } = entry
  if (gained === null || sides.branch !== null || sides.main === null) return merged
  return { write: { _tag: 'none' }, conflicts: [...merged.conflicts, ofWhole('child_orphaned', gained)] }
}

/**
 * A conflict about an object as a whole; `main` holds main's values that conflict with the branch.
 */
export const ofWhole = (kind: ConflictKind, main: FieldValue = null): Conflict => ({
  kind,
  field: null,
  base: null,
  main,
  branch: null,
})

function refersToNothing({ sides, server }: Entry, { write, conflicts }: Merged): boolean {
  if (sides.model === 'server' || server !== null) return false
  if (sides.main !== null) return sides.branch !== null && Object.hasOwn(sides.branch, 'server')
  return write._tag === 'create' || conflicts.some(({ kind }) => kind === 'delete_update')
}

/** The scope that an entry's object belongs to. */
export function entryScope({ sides, server }: Entry): Scope {
  const row = sides.whole ?? sides.base ?? {}
  const text = (field: string) => String(row[field] ?? '')
  return scopeOf(scopeResourceOf(sides.model), {
    server: server ?? '',
    datastore: text('datastore_name'),
    namespace: text('namespace'),
    job_type: text('job_type'),
  })
}

/** Where the scope of an entry's object lies. */
const entryPlace = (entry: Entry): ScopePlace => scopePlace(entryScope(entry), entry.serverId)

/** The identity of the scope of an entry's object. */
export const entryScopeKey = (entry: Entry): string => placeKey(entryPlace(entry))

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
