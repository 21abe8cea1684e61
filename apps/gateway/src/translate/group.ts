import type { GroupFrame } from '@netbox-pbs/proxbox-client/contract'
import { type ListedSnapshot, snapshotOf } from './snapshot.ts'
import { firstLine } from './text.ts'
import { unknownColumns, withUnknown } from './unknown-columns.ts'

/** What is read of a row of `/admin/datastore/{store}/groups`. */
export interface ListedGroup {
  readonly 'backup-type': string
  readonly 'backup-id': string
  readonly 'backup-count': number | null
  readonly owner?: string | null | undefined
  readonly comment?: string | null | undefined
  readonly oddFields?: ReadonlyArray<string> | undefined
}

/** Where a group lies. */
export interface GroupPlace {
  readonly server: string
  readonly datastore: string
  readonly namespace: string
}

/**
 * A group with all its snapshots, newest first; PBS lists them in the order of the directory. A snapshot whose time no
 * calendar has is left out.
 *
 * @param leftOut - How many of its rows could not be understood.
 */
export const groupFrame = (
  place: GroupPlace,
  group: ListedGroup,
  listed: ReadonlyArray<ListedSnapshot>,
  leftOut = 0,
): GroupFrame => {
  const snapshots = [...listed]
    .sort((a, b) => b['backup-time'] - a['backup-time'])
    .map(snapshotOf)
    .filter((snapshot) => snapshot !== null)
  const missing = leftOut + listed.length - snapshots.length
  return {
    frame: 'group',
    ...place,
    backup_type: group['backup-type'],
    backup_id: group['backup-id'],
    owner: group.owner ?? '',
    comment: firstLine(group.comment),
    ...withUnknown(unknownColumns(group.oddFields, { owner: ['owner'], comment: ['comment'] })),
    ...(missing === 0 ? {} : { left_out: missing }),
    snapshots,
  }
}

/** The identity of a group within its namespace as one text. */
export const groupKey = (of: { readonly 'backup-type': string; readonly 'backup-id': string }): string =>
  `${of['backup-type']}/${of['backup-id']}`

/** Snapshots by their group. */
export const byGroup = <S extends ListedSnapshot>(snapshots: ReadonlyArray<S>): ReadonlyMap<string, ReadonlyArray<S>> =>
  Map.groupBy(snapshots, groupKey)

/** Groups in one order, whatever the source's: by type, then id. */
export const sortedGroups = <G extends ListedGroup>(groups: ReadonlyArray<G>): ReadonlyArray<G> =>
  [...groups].sort((a, b) => compare(a['backup-type'], b['backup-type']) || compare(a['backup-id'], b['backup-id']))

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
