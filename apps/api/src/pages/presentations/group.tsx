import type { Presentation } from './presentation.ts'
import { backupFields, verification } from './words.tsx'

/** How pages show groups. */
export const groupPresentation: Presentation<'group'> = {
  columns: [
    'backup_type',
    'backup_id',
    'server',
    'datastore_name',
    'namespace',
    'snapshot_count',
    'last_backup',
    'newest_verification',
    'comment',
  ],
  title: 'backup_id',
  fields: {
    ...backupFields,
    // Sizes are those of the guest, so that their sum is far more than what the datastore holds.
    total_size: { head: 'Sum of sizes', title: 'Sum of sizes, before deduplication' },
    newest_verification: {
      head: 'Newest verified',
      cell: (row) => verification(row['newest_verification'], row['newest_verification_place']),
    },
  },
  technical: ['last_seen_at', 'missing_since', 'newest_verification_place', 'total_size'],
  filters: ['server', 'backup_type', 'datastore_name', 'namespace', 'owner', 'newest_verification'],
}
