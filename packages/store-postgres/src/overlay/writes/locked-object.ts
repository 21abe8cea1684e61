import type { BranchNotOpen, BranchOfRun, WritableModel } from '@netbox-pbs/core/ports'
import type { Kysely } from 'kysely'
import type { Tables } from '../../database/tables.ts'
import { lockFurther, lockPlaces } from '../../scopes/scope-locks.ts'
import { type GroupKey, groupKeyOf, placesOfGroups } from '../../writes/touch-groups.ts'
import { lockForWriting } from './lock-branch.ts'
import { type SeenObject, seenObject } from './seen-object.ts'

/** An object of a branch that is to be written, under the locks that takes. */
export interface LockedObject {
  readonly object: SeenObject
  /** Of a snapshot the group that it lies in, and the one it is to lie in. */
  readonly groups: ReadonlyArray<GroupKey>
}

/** Which object of which branch. */
export interface ObjectRequest {
  readonly branch: number
  readonly model: WritableModel
  readonly id: number
}

/**
 * Locks the scopes of a snapshot's groups, then the branch, and reads the object under these locks;
 * null: the branch shows none. Another user may move a snapshot of main before its scope's lock is
 * ours: then the transaction begins again, unless the other lock is free. Who deletes a server
 * locks it whole, for its groups are counted by every landing below it.
 */
export async function lockObject(
  db: Kysely<Tables>,
  target: ObjectRequest,
  { destination, deletes = false }: { readonly destination: (from: GroupKey) => GroupKey; readonly deletes?: boolean },
): Promise<LockedObject | null | BranchNotOpen | BranchOfRun> {
  const { branch, model, id } = target
  const groupsOf = (object: SeenObject | null): ReadonlyArray<GroupKey> => {
    if (model !== 'snapshot' || object === null) return []
    const from = groupKeyOf(object.row)
    return [from, destination(from)]
  }
  const deletedServers = deletes && model === 'server' ? [id] : []
  const before = groupsOf(await seenObject(db, target))
  await lockPlaces({ ...placesOfGroups(before), deletedServers }).execute(db)
  const refused = await lockForWriting(db, branch)
  if (refused !== null) return refused
  for (let groups = before; ; ) {
    const object = await seenObject(db, target)
    const now = groupsOf(object)
    if (JSON.stringify(now) === JSON.stringify(groups)) return object === null ? null : { object, groups }
    await lockFurther(db, placesOfGroups(now))
    groups = now
  }
}
