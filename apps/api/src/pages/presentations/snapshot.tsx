import { registry } from '@netbox-pbs/core'
import { Cell, Tick } from '../components/cell.tsx'
import { formatBytes } from '../components/format.ts'
import type { Presentation } from './presentation.ts'
import { backupFields, dated, verification } from './words.tsx'

/** How pages show snapshots. */
export const snapshotPresentation: Presentation<'snapshot'> = {
  columns: [
    'backup_type',
    'backup_id',
    'backup_time',
    'server',
    'datastore_name',
    'namespace',
    'size_bytes',
    'verification_state',
    'protected',
    'comment',
  ],
  title: 'backup_id',
  fields: {
    ...backupFields,
    backup_time: { head: 'Time', short: (row) => dated(row['backup_time']) },
    size_bytes: { head: 'Size' },
    verification_state: {
      head: 'Verified',
      cell: (row) => verification(row['verification_state'], row['verification_place']),
    },
    protected: { head: 'Protected', short: ({ protected: kept }) => (kept === true ? <Tick yes={true} /> : null) },
    crypt_mode: { head: 'Encryption' },
    files: {
      cell: (row) => {
        const files: ReadonlyArray<unknown> = Array.isArray(row['files']) ? row['files'] : []
        const readable = files.map((file) => {
          if (typeof file !== 'object' || file === null || !('filename' in file)) return file
          const size = 'size' in file && typeof file.size === 'number' ? formatBytes(file.size) : null
          return { filename: file.filename, size, crypt_mode: 'crypt_mode' in file ? file.crypt_mode : null }
        })
        return <Cell field={registry.snapshot.fields.files} value={readable} reference="" />
      },
    },
  },
  technical: ['last_seen_at', 'missing_since', 'verification_upid', 'verification_place'],
  filters: ['server', 'backup_type', 'datastore_name', 'namespace', 'verification_state', 'protected', 'owner'],
}
