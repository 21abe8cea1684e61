import type { BranchNotOpen, BranchOfRun, StoreFailed, WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Run } from '../../database/session.ts'
import { type GroupKey, groupKeyOf, lockGroups } from '../../hand-writes/touch-groups.ts'
import { lockForWriting } from './lock-branch.ts'
import { type SeenObject, seenObject } from './seen-object.ts'

/** An object of a branch that is to be written, under the locks that takes. */
export interface LockedObject {
  readonly object: SeenObject
  /** Of a snapshot the group that it lies in, and the one it is to lie in. */
  readonly groups: ReadonlyArray<GroupKey>
}

/** Which object of which branch. */
export interface Wanted {
  readonly branch: number
  readonly model: WritableModel
  readonly id: number
}

/**
 * Locks the scopes of a snapshot's groups, then the branch, and reads the object under these locks; null: the branch shows none. Another hand may move a snapshot of main before its scope's
 * lock is ours, so it is read until it stays.
 */
export function lockObject(
  run: Run,
  wanted: Wanted,
  destination: (from: GroupKey) => GroupKey,
): Effect.Effect<LockedObject | null, StoreFailed | BranchNotOpen | BranchOfRun> {
  return Effect.gen(function* () {
    const { branch, model } = wanted
    const groupsOf = (object: SeenObject | null): ReadonlyArray<GroupKey> => {
      if (model !== 'snapshot' || object === null) return []
      const from = groupKeyOf(object.row)
      return [from, destination(from)]
    }
    let groups = groupsOf(yield* run((db) => seenObject(db, wanted)))
    yield* run((db) => lockGroups(db, groups))
    yield* lockForWriting(run, branch)
    for (;;) {
      const object = yield* run((db) => seenObject(db, wanted))
      const now = groupsOf(object)
      if (JSON.stringify(now) === JSON.stringify(groups)) return object === null ? null : { object, groups }
      groups = now
      yield* run((db) => lockGroups(db, now))
    }
  })
}
