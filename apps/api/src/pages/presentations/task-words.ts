import type { Row } from '../../rest/row.ts'

/** What tasks do, by PBS's name of their kind. */
const verbs: Readonly<Record<string, string>> = {
  backup: 'Backup',
  reader: 'Read',
  garbage_collection: 'Garbage collection',
  verificationjob: 'Verify',
  verify: 'Verify',
  verify_group: 'Verify',
  verify_snapshot: 'Verify',
  prunejob: 'Prune',
  prune: 'Prune',
  syncjob: 'Sync',
  'tape-backup': 'Tape backup',
  'tape-backup-job': 'Tape backup',
  'create-datastore': 'Create datastore',
  'delete-datastore': 'Delete datastore',
  'mount-device': 'Mount',
  'unmount-device': 'Unmount',
  's3-refresh': 'Refresh from S3',
  aptupdate: 'Update package lists',
  logrotate: 'Rotate logs',
}

/**
 * What a task does, in words: `Backup vm/100 to tank`, `Sync s-local between tank and vault`. A kind that
 * is not known keeps PBS's name and id.
 */
export function taskWords(row: Row): string {
  const kind = text(row, 'worker_type')
  const verb = Object.hasOwn(verbs, kind) ? verbs[kind] : undefined
  if (verb === undefined) return `${kind} ${text(row, 'worker_id')}`.trim()
  const [store, guest, job] = [text(row, 'datastore_name'), guestOf(row), text(row, 'job_id')]
  const place = [store, text(row, 'namespace')].filter((part) => part !== '').join('/')
  if (kind === 'syncjob') {
    const [remote = '', remoteStore = ''] = text(row, 'worker_id').split(':')
    // The id is that of a pull and of a push, so that it does not tell the direction.
    const other = remote === '-' ? remoteStore : `${remote}/${remoteStore}`
    return job === '' ? `${verb} ${text(row, 'worker_id')}`.trim() : `${verb} ${job} between ${other} and ${place}`
  }
  if (kind === 'backup' && guest !== '') return `${verb} ${guest} to ${place}`
  if (kind === 'reader' && guest !== '') return `${verb} ${guest} from ${place}`
  const subject = guest || (job === store ? '' : job)
  return [verb, subject, place === '' ? '' : subject === '' && verb !== 'Garbage collection' ? place : `on ${place}`]
    .filter((part) => part !== '')
    .join(' ')
}

const guestOf = (row: Row): string => {
  const [type, id] = [text(row, 'backup_type'), text(row, 'backup_id')]
  return type === '' || id === '' ? '' : `${type}/${id}`
}

const text = (row: Row, name: string): string => String(row[name] ?? '')
