import type { ModelName } from '@netbox-pbs/core'
import type { Row } from './row.ts'

/** What a row is called, in REST's `display` and on pages. Types and times are written as PBS writes them. */
export function display(model: ModelName, row: Row): string {
  switch (model) {
    case 'server':
      return `${row['name']}`
    case 'datastore':
      return `${row['name']} (${row.serverName})`
    case 'namespace':
      return `${row['datastore_name']}/${row['path'] === '' ? '(root)' : row['path']}`
    case 'group':
      return `${row['backup_type']}/${row['backup_id']}`
    case 'snapshot':
      return `${row['backup_type']}/${row['backup_id']}/${String(row['backup_time']).replace(/\.\d+Z$/, 'Z')}`
    case 'job':
      return `${row['job_type']}/${row['job_id']}`
    case 'task':
      return `${row['worker_type']} ${row['worker_id']}`.trim()
  }
}
