import { hash } from 'node:crypto'
import type { JsonValue } from '@netbox-pbs/core'
import type { PbsGroup, PbsSnapshot, PbsSnapshotFile } from '@netbox-pbs/pbs-client'
import type { GroupFrame, GroupSnapshot } from '@netbox-pbs/proxbox-client/contract'
import { type ColumnsOfFields, datetimeOf, firstLine, storable, unknownColumns, withUnknown } from './facts.ts'

/** The place of a group. */
export type GroupPlace = Pick<GroupFrame, 'server' | 'datastore_name' | 'namespace'>

/** The identity of a group within its namespace as one text: `vm/101`. */
export const groupKey = (row: Pick<PbsGroup, 'backup-type' | 'backup-id'>): string =>
  `${row['backup-type']}/${row['backup-id']}`

/**
 * A group with all its snapshots, newest first; PBS lists them in the order of the directory. A
 * snapshot whose time is no calendar date is left out.
 *
 * @param leftOut - The number of its rows that could not be read.
 */
export const groupFrame = (
  place: GroupPlace,
  group: PbsGroup,
  rows: ReadonlyArray<PbsSnapshot>,
  leftOut = 0,
): GroupFrame => {
  const snapshots = [...rows]
    .sort((a, b) => b['backup-time'] - a['backup-time'])
    .map(groupSnapshot)
    .filter((snapshot) => snapshot !== null)
  const missing = leftOut + rows.length - snapshots.length
  return {
    frame: 'group',
    ...place,
    backup_type: group['backup-type'],
    backup_id: group['backup-id'],
    owner: group.owner ?? '',
    comment: firstLine(group.comment),
    ...withUnknown(unknownColumns(group.oddFields, { owner: ['owner'], comment: ['comment'] })),
    ...(missing === 0 ? {} : { left_out: missing }),
    ...(missing === 0 && speaksForSnapshots(group, rows) ? { list_digest: listDigest(place, group) } : {}),
    snapshots,
  }
}

/**
 * Digest of a group's row in the list of groups, with its place. While it is the same, and no task has changed
 * snapshots, the group has the same snapshots.
 */
export const listDigest = ({ server, datastore_name, namespace }: GroupPlace, group: PbsGroup): string => {
  const row = [
    server,
    datastore_name,
    namespace,
    group['backup-type'],
    group['backup-id'],
    group['backup-count'],
    group['last-backup'],
    group.owner,
    group.comment,
    [...group.files].sort(),
  ]
  return hash('sha256', JSON.stringify(row), 'base64url').slice(0, 22)
}

/**
 * Whether the row of a group says as much as its snapshots: it counts just these, the newest is the one that it names,
 * and none is still being written or has a manifest that cannot be read, which may change without a trace in the row.
 */
const speaksForSnapshots = (group: PbsGroup, rows: ReadonlyArray<PbsSnapshot>): boolean =>
  isReadInFull(group) &&
  rows.length === group['backup-count'] &&
  Math.max(...rows.map((row) => row['backup-time'])) === group['last-backup'] &&
  rows.every((row) => isFinished(row) && hasReadableManifest(row) && isReadInFull(row))

/** Whether all fields of a row were understood. */
const isReadInFull = ({ oddFields = [], unsafeIntegers }: Pick<PbsGroup, 'oddFields' | 'unsafeIntegers'>): boolean =>
  oddFields.length + unsafeIntegers.length === 0

const ofFiles = ['crypt_mode', 'manifest_files', 'other_files'] as const
const snapshotColumns: ColumnsOfFields = {
  size: ['size_bytes'],
  owner: ['owner'],
  protected: ['protected'],
  comment: ['comment'],
  verification: ['verification_state', 'verification_upid'],
  fingerprint: ['key_fingerprint'],
  files: ofFiles,
}
/** The columns that PBS fills from the manifest: its files, their sizes and modes, the key, the notes and the verification. */
const ofManifest = [
  ...['size_bytes', 'comment', 'verification_state', 'verification_upid', 'key_fingerprint'],
  ...ofFiles,
] as const

/**
 * A snapshot inside the frame of its group; null when its time is no calendar date. Fields that PBS
 * could not read, or that are odd in its row, are unknown.
 */
export const groupSnapshot = (row: PbsSnapshot): GroupSnapshot | null => {
  const backup_time = datetimeOf(row['backup-time'])
  if (backup_time === null) return null
  const finished = isFinished(row)
  const unknown = unknownOf(row)
  const manifestFiles: Array<JsonValue> = []
  const otherFiles: Array<PbsSnapshotFile> = []
  for (const file of row.files) {
    if (finished && file.filename !== manifest && (file.size !== null || file['crypt-mode'] !== null)) {
      manifestFiles.push({ crypt_mode: file['crypt-mode'], filename: file.filename, size: file.size })
    } else otherFiles.push(file)
  }
  const snapshot = {
    backup_time,
    size_bytes: finished ? row.size : null,
    owner: row.owner ?? '',
    protected: row.protected,
    comment: firstLine(row.comment),
    verification_state: row.verification?.state ?? '',
    verification_upid: row.verification?.upid ?? '',
    crypt_mode: finished && !unknown.includes('crypt_mode') ? cryptModeOf(row) : '',
    key_fingerprint: storable(row.fingerprint ?? ''),
    finished,
    manifest_files: manifestFiles,
    // Outside the manifest the order is that of the directory: sorted, equal facts are equal bytes.
    other_files: otherFiles.sort((a, b) => (a.filename < b.filename ? -1 : 1)).map(otherFile),
  }
  return unknown.length === 0 ? snapshot : { ...snapshot, ...withUnknown(unknown) }
}

/** The columns of a snapshot that are not known. */
const unknownOf = (row: PbsSnapshot): ReadonlyArray<string> => {
  const readable = hasReadableManifest(row)
  if (readable && row.oddFields === undefined) return []
  return [
    ...(readable ? [] : ofManifest),
    ...unknownColumns(row.oddFields, snapshotColumns),
    // An odd list of files is read as an empty one.
    ...(row.files.length === 0 && unknownColumns(row.oddFields, { files: ofFiles }).length > 0 ? ['finished'] : []),
  ]
}

const otherFile = (file: PbsSnapshotFile): JsonValue => ({
  ...(file['crypt-mode'] === null ? {} : { crypt_mode: file['crypt-mode'] }),
  filename: file.filename,
  ...(file.size === null ? {} : { size: file.size }),
})

const manifest = 'index.json.blob'

/** Whether a backup is finished: it has a manifest. A running or failed backup has none. */
export const isFinished = ({ files }: Pick<PbsSnapshot, 'files'>): boolean =>
  files.some(({ filename }) => filename === manifest)

/**
 * Whether PBS could read the manifest of a snapshot that has one. Otherwise PBS lists only the
 * names of its files, and size, mode, note and verification are unknown, not blank.
 */
export const hasReadableManifest = ({
  files,
  size,
  comment,
  verification,
}: Pick<PbsSnapshot, 'files' | 'size' | 'comment' | 'verification'>): boolean =>
  files.every(({ filename }) => filename !== manifest) ||
  size !== null ||
  comment !== null ||
  verification !== null ||
  files.some((file) => file.size !== null || file['crypt-mode'] !== null)

/**
 * How the files of a snapshot are protected, by the rule of the PBS web pages: all encrypted, all
 * signed, neither anywhere, or mixed. The manifest itself and files without a mode (outside the
 * manifest, such as `client.log.blob`) do not count.
 */
export const cryptModeOf = ({ files }: Pick<PbsSnapshot, 'files'>): 'none' | 'encrypt' | 'sign-only' | 'mixed' => {
  let counted = 0
  let encrypted = 0
  let signed = 0
  for (const { filename, 'crypt-mode': mode } of files) {
    if (filename === manifest || mode === null) continue
    counted += 1
    if (mode === 'encrypt') encrypted += 1
    if (mode === 'sign-only') signed += 1
  }
  if (encrypted + signed === 0) return 'none'
  if (encrypted === counted) return 'encrypt'
  return signed === counted ? 'sign-only' : 'mixed'
}
