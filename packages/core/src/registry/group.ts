import { backupTypes, verificationPlaces } from '../choices.ts'
import type { Model } from './field.ts'
import { bytes, count } from './field.ts'

/**
 * All snapshots of one guest (backup type and id) in one namespace; it exists while it has
 * snapshots or the source lists it. First and last backup and the newest verification are of
 * finished snapshots; `unfinished_since` is the time of the oldest unfinished one, which need not
 * be running.
 */
export const group = {
  name: 'group',
  path: 'groups',
  label: 'Group',
  labelPlural: 'Groups',
  objectType: 'netbox_pbs.pbsgroup',
  key: ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id'],
  brief: ['backup_type', 'backup_id'],
  order: ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id'],
  search: ['backup_id', 'datastore_name', 'namespace', 'owner', 'comment', 'server.name'],
  columns: [
    'backup_type',
    'backup_id',
    'server',
    'datastore_name',
    'namespace',
    'snapshot_count',
    'last_backup',
    'total_size',
    'newest_verification',
    'comment',
  ],
  writable: false,
  fields: {
    server: { class: 'key', type: 'reference', model: 'server', label: 'Server', required: true },
    datastore_name: { class: 'key', type: 'text', max: 255, label: 'Datastore name', required: true },
    namespace: { class: 'key', type: 'text', max: 256, default: '', label: 'Namespace' },
    backup_type: { class: 'key', type: 'choice', choices: backupTypes, label: 'Backup type', required: true },
    backup_id: { class: 'key', type: 'text', max: 255, label: 'Backup id', required: true },
    owner: { class: 'source', type: 'text', max: 255, default: '', label: 'Owner', readOnly: true },
    comment: { class: 'source', type: 'text', max: 1024, default: '', label: 'Comment', readOnly: true },
    snapshot_count: { ...count, label: 'Snapshots' },
    first_backup: { class: 'derived', type: 'datetime', nullable: true, label: 'First backup', readOnly: true },
    last_backup: { class: 'derived', type: 'datetime', nullable: true, label: 'Last backup', readOnly: true },
    unfinished_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Unfinished since', readOnly: true },
    total_size: { class: 'derived', ...bytes, label: 'Total size', readOnly: true },
    newest_verification: {
      class: 'derived',
      type: 'text',
      max: 64,
      default: '',
      label: 'Newest verification',
      readOnly: true,
    },
    newest_verification_place: {
      class: 'derived',
      type: 'choice',
      choices: verificationPlaces,
      default: 'unknown',
      label: 'Newest verification place',
      readOnly: true,
    },
    copy_of: {
      class: 'derived',
      type: 'integer',
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      nullable: true,
      label: 'Copy of',
      readOnly: true,
    },
    points_behind: {
      class: 'derived',
      type: 'integer',
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      nullable: true,
      label: 'Points behind',
      readOnly: true,
    },
    lag_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Lag since', readOnly: true },
    missing_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Missing since', readOnly: true },
    last_seen_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last seen at', readOnly: true },
  },
} as const satisfies Model
