import { datastorePath } from './permissions.ts'

/** What of a row says where it is visible. */
export type PlacedRow =
  | { readonly frame: 'datastore'; readonly name: string }
  | { readonly frame: 'namespace'; readonly datastore: string; readonly path: string }
  | { readonly frame: 'group' | 'task' }
  | {
      readonly frame: 'job'
      readonly job_type: string
      readonly job_id: string
      readonly store: string
      readonly namespace: string
    }

/**
 * The ACL path on which the visibility of a row hangs; null for a group, for its namespace is asked for by name and
 * refused when it is hidden, and for a task, which hangs on no object. Verify, prune and gc jobs on one path are seen or hidden together. A sync job hangs on both
 * of its ends, so each has a text of its own.
 */
export const visibilityPath = (row: PlacedRow): string | null => {
  switch (row.frame) {
    case 'datastore':
      return datastorePath(row.name)
    case 'namespace':
      return datastorePath(row.datastore, row.path)
    case 'group':
    case 'task':
      return null
    case 'job':
      if (row.job_type === 'tape') return `/tape/job/${row.job_id}`
      return row.job_type === 'sync' ? `sync job ${row.job_id}` : datastorePath(row.store, row.namespace)
  }
}
