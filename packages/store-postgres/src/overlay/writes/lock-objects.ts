import {
  BranchNotOpen,
  BranchOfRun,
  type EditValues,
  type ExpectedVersions,
  RowNotFound,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import type { Kysely } from 'kysely'
import { lockBranchFor } from '../../branches/branch-record.ts'
import type { Tables } from '../../database/tables.ts'
import { lockFurther, lockPlaces } from '../../scopes/scope-locks.ts'
import { versionChanged } from '../../tables/row-version.ts'
import { type GroupKey, groupKeyOf, placesOfGroups } from '../../writes/recount.ts'
import { type SeenObject, seenObjects } from './seen-objects.ts'

/** Objects of a branch that are to be written, under the locks that takes. */
interface LockedObjects<R extends RequestedObject> {
  /** In the order of the request. */
  readonly objects: ReadonlyArray<R & { readonly object: SeenObject }>
  /** The present and the new groups of snapshots. */
  readonly groups: ReadonlyArray<GroupKey>
}

/** Of which branch and model the objects are. */
export interface BranchModel {
  readonly branch: number
  readonly model: WritableModel
}

/** An object that a request writes. */
interface RequestedObject {
  readonly id: number
  /** Left out: its place stays, as that of an object that is deleted. */
  readonly values?: EditValues
  readonly versions?: ExpectedVersions
}

/**
 * Locks the scopes of snapshots' groups, then the branch, reads the objects under these locks, and
 * returns the error of the first that the branch lacks or that has another version. If
 * another user moves a snapshot of main before its scope is locked, the transaction begins again,
 * unless the other lock is free. Deleting a server takes its exclusive lock, because every landing
 * below it counts its groups.
 */
export async function lockObjects<R extends RequestedObject>(
  db: Kysely<Tables>,
  target: BranchModel,
  { rows, deletes = false }: { readonly rows: ReadonlyArray<R>; readonly deletes?: boolean },
): Promise<LockedObjects<R> | RowNotFound | BranchNotOpen | BranchOfRun | VersionChanged> {
  const { branch, model } = target
  const ids = rows.map(({ id }) => id)
  if (new Set(ids).size < ids.length) throw new Error(`a request writes a ${model} twice`)
  const groupsOf = (found: ReadonlyMap<number, SeenObject>): ReadonlyArray<GroupKey> =>
    model !== 'snapshot'
      ? []
      : rows.flatMap(({ id, values }) => {
          const row = found.get(id)?.row
          return row === undefined ? [] : [groupKeyOf(row), groupKeyOf({ ...row, ...values })]
        })
  const deletedServers = deletes && model === 'server' ? ids : []
  const before = groupsOf(await seenObjects(db, target, ids))
  await lockPlaces({ ...placesOfGroups(before), deletedServers }).execute(db)
  const closed = await lockForWriting(db, branch)
  if (closed !== null) return closed
  for (let groups = before; ; ) {
    const found = await seenObjects(db, target, ids)
    const now = groupsOf(found)
    if (JSON.stringify(now) === JSON.stringify(groups)) return withVersions(model, { rows, found, groups })
    await lockFurther(db, placesOfGroups(now))
    groups = now
  }
}

function withVersions<R extends RequestedObject>(
  model: WritableModel,
  {
    rows,
    found,
    groups,
  }: {
    readonly rows: ReadonlyArray<R>
    readonly found: ReadonlyMap<number, SeenObject>
    readonly groups: ReadonlyArray<GroupKey>
  },
): LockedObjects<R> | RowNotFound | VersionChanged {
  const objects: Array<R & { readonly object: SeenObject }> = []
  for (const [index, row] of rows.entries()) {
    const object = found.get(row.id)
    if (object === undefined) return new RowNotFound({ model, index })
    const changed = versionChanged(object.version, row.versions, index)
    if (changed !== null) return changed
    objects.push({ ...row, object })
  }
  return { objects, groups }
}

/**
 * Locks a branch until the end of the transaction, for an edit in it. Returns why it accepts no
 * edits (null: it does): it has ended, does not exist, or belongs to a run.
 */
export async function lockForWriting(db: Kysely<Tables>, id: number): Promise<BranchNotOpen | BranchOfRun | null> {
  const branch = await lockBranchFor(db, id, 'edit')
  if (branch instanceof Error) {
    return branch._tag === 'BranchNotOpen' ? branch : new BranchNotOpen({ id, status: 'closed' })
  }
  return branch.kind === 'sync' ? new BranchOfRun({ id, runId: branch.run_id }) : null
}
