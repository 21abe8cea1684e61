import type { JsonValue } from '@netbox-pbs/core'
import { cryptModeOf, hasReadableManifest, isFinished } from '@netbox-pbs/pbs-client'
import type { GroupSnapshot } from '@netbox-pbs/proxbox-client/contract'
import { datetimeOf } from './datetime.ts'
import { firstLine } from './text.ts'
import { type ColumnsOfFields, unknownColumns, withUnknown } from './unknown-columns.ts'

/** What is read of a file of a snapshot. */
export interface ListedFile {
  readonly filename: string
  readonly size?: number | null | undefined
  readonly 'crypt-mode'?: string | null | undefined
}

/** What is read of a row of `/admin/datastore/{store}/snapshots`. */
export interface ListedSnapshot {
  readonly 'backup-type': string
  readonly 'backup-id': string
  readonly 'backup-time': number
  readonly size?: number | null | undefined
  readonly owner?: string | null | undefined
  readonly protected?: boolean | null | undefined
  readonly comment?: string | null | undefined
  readonly verification?: { readonly state: string; readonly upid: string } | null | undefined
  readonly files: ReadonlyArray<ListedFile>
  readonly oddFields?: ReadonlyArray<string> | undefined
}

const manifest = 'index.json.blob'

const ofFiles = ['crypt_mode', 'manifest_files', 'other_files'] as const
const snapshotColumns: ColumnsOfFields = {
  size: ['size_bytes'],
  owner: ['owner'],
  protected: ['protected'],
  comment: ['comment'],
  verification: ['verification_state', 'verification_upid'],
  files: ofFiles,
}
/** What PBS reads from the manifest: its files, their sizes and modes, the notes and the verification. */
const ofManifest = ['size_bytes', 'comment', 'verification_state', 'verification_upid', ...ofFiles] as const

/**
 * A snapshot as it lies in the frame of its group. Null when its time is none that a calendar has. What PBS could not read,
 * or says in an odd way, is unknown.
 */
export const snapshotOf = (listed: ListedSnapshot): GroupSnapshot | null => {
  const backup_time = datetimeOf(listed['backup-time'])
  if (backup_time === null) return null
  const finished = isFinished(facts(listed))
  const readable = hasReadableManifest(listed)
  const inManifest = (file: ListedFile) =>
    finished && file.filename !== manifest && ((file.size ?? null) !== null || (file['crypt-mode'] ?? null) !== null)
  const unknown = [
    ...(readable ? [] : ofManifest),
    ...unknownColumns(listed.oddFields, snapshotColumns),
    // An odd list of files is read as none.
    ...(listed.files.length === 0 && unknownColumns(listed.oddFields, { files: ofFiles }).length > 0
      ? ['finished']
      : []),
  ]
  return {
    backup_time,
    size_bytes: finished ? (listed.size ?? null) : null,
    owner: listed.owner ?? '',
    protected: listed.protected ?? false,
    comment: firstLine(listed.comment),
    verification_state: listed.verification?.state ?? '',
    verification_upid: listed.verification?.upid ?? '',
    crypt_mode: finished && readable && !unknown.includes('crypt_mode') ? cryptModeOf(facts(listed)) : '',
    finished,
    manifest_files: listed.files.filter(inManifest).map((file) => ({
      filename: file.filename,
      size: file.size ?? null,
      crypt_mode: file['crypt-mode'] ?? null,
    })),
    // Outside the manifest the order is that of the directory, which says nothing: sorted, equal facts are equal bytes.
    other_files: listed.files
      .filter((file) => !inManifest(file))
      .sort((a, b) => (a.filename < b.filename ? -1 : 1))
      .map(otherFile),
    ...withUnknown(unknown),
  }
}

const otherFile = (file: ListedFile): JsonValue => ({
  filename: file.filename,
  ...((file.size ?? null) === null ? {} : { size: file.size ?? null }),
  ...((file['crypt-mode'] ?? null) === null ? {} : { crypt_mode: file['crypt-mode'] ?? null }),
})

const facts = (listed: ListedSnapshot) => ({
  files: listed.files.map((file) => ({ filename: file.filename, 'crypt-mode': file['crypt-mode'] ?? null })),
})
