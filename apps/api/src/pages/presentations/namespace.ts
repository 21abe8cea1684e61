import type { Presentation } from './presentation.ts'
import { placeFields } from './words.tsx'

/** How pages show namespaces. */
export const namespacePresentation: Presentation<'namespace'> = {
  columns: ['path', 'server', 'datastore_name', 'group_count', 'snapshot_count', 'last_full_at', 'last_seen_at'],
  title: 'path',
  fields: {
    server: placeFields.server,
    datastore_name: placeFields.datastore_name,
    path: { head: 'Namespace', kind: 'name' },
    last_seen_at: { head: 'Seen' },
  },
  technical: ['last_seen_at', 'missing_since', 'depth'],
  filters: ['server', 'datastore_name', 'depth'],
}
