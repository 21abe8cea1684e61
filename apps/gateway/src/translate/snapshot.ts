import type { JsonValue } from '@netbox-pbs/core'
import { cryptModeOf, isFinished } from '@netbox-pbs/pbs-client'
import type { GroupSnapshot } from '@netbox-pbs/proxbox-client/contract'
import { datetimeOf } from './datetime.ts'
import { firstLine } from './text.ts'

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
}

const manifest = 'index.json.blob'

/** A snapshot as it lies in the frame of its group. Null when its time is none that a calendar has. */
export const snapshotOf = (listed: ListedSnapshot): GroupSnapshot | null => {
  const backup_time = datetimeOf(listed['backup-time'])
  if (backup_time === null) return null
  const finished = isFinished(facts(listed))
  const inManifest = (file: ListedFile) =>
    finished && file.filename !== manifest && ((file.size ?? null) !== null || (file['crypt-mode'] ?? null) !== null)
  return {
    backup_time,
    size_bytes: finished ? (listed.size ?? null) : null,
    owner: listed.owner ?? '',
    protected: listed.protected ?? false,
    comment: firstLine(listed.comment),
    verification_state: listed.verification?.state ?? '',
    verification_upid: listed.verification?.upid ?? '',
    crypt_mode: finished ? cryptModeOf(facts(listed)) : '',
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
